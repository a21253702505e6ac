/** KVM or emulation, and /dev/kvm as udev would leave it. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { findGroup } from "./accounts.js";
import type { Check, Host, Requirement } from "./requirement.js";

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
  const capable = await isCapable(host);
  const device = await kvmDevice(host);
  if (capable && device !== undefined) return { acceleration: "kvm" };
  return { acceleration: "tcg", reason: capable ? noDevice : noFlags };
}

const noDevice =
  "there is no /dev/kvm (virtualisation is switched off in the firmware, or the kvm module is not loaded)";
const noFlags = "the processor has neither of the flags vmx and svm (in a VM: nested virtualisation is off)";

/** Whether the processor says that it can run guests. */
async function isCapable(host: Pick<Host, "root">): Promise<boolean> {
  const flags = /^flags\s*:.*$/m.exec(await readFile(join(host.root, "/proc/cpuinfo"), "utf8"))?.[0] ?? "";
  return /\b(vmx|svm)\b/.test(flags);
}

/** Only for who wants to know why VMs are slow: no command of ours can change it. */
export const processorFlags: Check = {
  id: "processor",
  description: "hardware virtualisation by the processor",
  fatal: false,
  probe: async (host) =>
    (await isCapable(host))
      ? undefined
      : {
          reason: noFlags,
          commands: [],
          hint: "VMs are emulated, which is slow. Switch it on in the firmware, or for the VM that this is",
        },
};

export const kvmThere: Check = {
  id: "kvm",
  description: "/dev/kvm",
  fatal: false,
  right: "root",
  probe: async (host) => {
    if ((await kvmDevice(host)) !== undefined) return undefined;
    const capable = await isCapable(host);
    return {
      reason: "it does not exist",
      commands: capable ? [{ argv: ["modprobe", "kvm_intel"] }, { argv: ["modprobe", "kvm_amd"] }] : [],
      hint: capable ? "One of the two is your processor's; virtualisation may be off in the firmware" : noFlags,
    };
  },
};

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
