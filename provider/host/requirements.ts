/** What libvirt and qemu need of a host, in the order in which it can be mended. The default network is libvirt/network.ts's. */
import { kvmDeviceMode } from "./acceleration.js";
import { directories } from "./directories.js";
import { group, membership } from "./membership.js";
import { packages } from "./packages.js";
import type { Requirement } from "./requirement.js";
import { service } from "./services.js";

export const hostRequirements: readonly Requirement[] = [
  packages,
  kvmDeviceMode,
  service,
  group,
  membership,
  directories,
];
