export { ArchVm, type ArchVmArgs } from "./arch-vm.js";
export { HostBootstrap, type HostBootstrapArgs } from "./host-bootstrap.js";
