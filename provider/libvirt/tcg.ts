/**
 * How much code qemu keeps translated where a guest is emulated, as an element of `<features>` (libvirt 8.0). A write to memory that
 * held code gets slower with each translation that is kept of it. With qemu's own limit, 1 GiB since its version 5.0, firmware can
 * be too slow for its own timer behind a reboot from inside, and never get anywhere (kubevirt/kubevirt#6885); with much less than
 * this all is translated again and again.
 */
export const tcgFeature = "<tcg><tb-cache unit='MiB'>128</tb-cache></tcg>";
