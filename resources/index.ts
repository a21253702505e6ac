export { ArchVm, type ArchVmArgs } from "./arch-vm.js";
export { HostBootstrap, type HostBootstrapArgs } from "./host-bootstrap.js";
export { VmClone, type VmCloneArgs } from "./vm-clone.js";
