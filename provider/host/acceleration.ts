/** KVM or emulation, and /dev/kvm as udev would leave it. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { findGroup } from "./accounts.js";
import type { Host, Requirement } from "./requirement.js";

export interface DetectedAcceleration {
  readonly acceleration: "kvm" | "tcg";
  /** Why it is not KVM, for a notice; undefined where it is, or where the user chose. */
  readonly reason?: string;
}

/**
 * KVM only where the processor says that it can and the kernel offers it: a /dev/kvm that opens is no proof, guests hang under one
 * that an outer hypervisor only pretends to offer. `wanted` overrides what is found.
 */
export async function detectAcceleration(
  host: Pick<Host, "root">,
  wanted: "auto" | "kvm" | "tcg" = "auto",
): Promise<DetectedAcceleration> {
  if (wanted !== "auto") return { acceleration: wanted };
  const flags = /^flags\s*:.*$/m.exec(await readFile(join(host.root, "/proc/cpuinfo"), "utf8"))?.[0] ?? "";
  const capable = /\b(vmx|svm)\b/.test(flags);
  const device = await kvmDevice(host);
  if (capable && device !== undefined) return { acceleration: "kvm" };
  const reason = capable
    ? "there is no /dev/kvm (virtualisation is switched off in the firmware, or the kvm module is not loaded)"
    : "the processor has neither of the flags vmx and svm (in a VM: nested virtualisation is off)";
  return { acceleration: "tcg", reason };
}

/**
 * libvirt probes qemu as root, finds KVM, checks again as the qemu user, finds none and throws its cache away: seconds at every
 * call where /dev/kvm is root's alone. udev gives it to the group kvm; where no udev runs, nobody does.
 */
export const kvmDeviceMode: Requirement = {
  id: "kvm-device",
  description: "the owner and mode of /dev/kvm",
  fatal: false,
  right: "root",
  settle: 0,
  probe: async (host) => {
    const device = await kvmDevice(host);
    const gid = (await findGroup("kvm"))?.gid;
    if (device === undefined || gid === undefined || (await udevRuns(host))) return undefined;
    const everyone = (device.mode & 0o006) === 0o006;
    const group = (device.mode & 0o060) === 0o060 && device.gid === gid;
    if (everyone || group) return undefined;
    const path = join(host.root, "/dev/kvm");
    return {
      reason: "/dev/kvm is not open to the group kvm, which makes every call of libvirt slow",
      commands: [{ argv: ["chgrp", "kvm", path] }, { argv: ["chmod", "0660", path] }],
      hint: "Run: sudo chgrp kvm /dev/kvm && sudo chmod 0660 /dev/kvm",
    };
  },
};

async function kvmDevice(host: Pick<Host, "root">): Promise<{ mode: number; gid: number } | undefined> {
  // In tests it is a plain file.
  return stat(join(host.root, "/dev/kvm")).catch(() => undefined);
}

async function udevRuns(host: Host): Promise<boolean> {
  return stat(join(host.root, "/run/udev/control")).then(
    () => true,
    () => false,
  );
}
