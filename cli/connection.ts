/** The libvirt that the command line speaks to. */
export const connection = "qemu:///system";
