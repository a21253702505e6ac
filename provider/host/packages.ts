/** The packages of the distribution: what is called by us or by libvirt for us, and only those that are not there. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "./command.js";
import { type Distribution, readDistribution } from "./distribution.js";
import { isErrno } from "./errno.js";
import { exists } from "./existence.js";
import { findProgram } from "./programs.js";
import type { Command, Finding, Host, Requirement } from "./requirement.js";

/** acl, libarchive and dbus are part of every Arch. */
const archPackages = ["qemu-desktop", "libvirt", "virt-install", "virt-viewer", "dnsmasq", "edk2-ovmf", "virtiofsd"];

const debianPackages = [
  "qemu-system-x86",
  "qemu-utils",
  "libvirt-daemon-system",
  "libvirt-daemon-config-network",
  "libvirt-clients",
  "dnsmasq-base",
  "ovmf",
  "virt-viewer",
  "virtinst",
  "dbus",
  "libarchive-tools",
  "acl",
];

/** Wanted where the release has split them off: qemu without them cannot offer SPICE, or share a directory. Where it has not, the file is there without them. */
const debianSplitPackages: Readonly<Record<string, readonly string[]>> = {
  "qemu-system-modules-spice": ["/usr/lib/x86_64-linux-gnu/qemu/ui-spice-core.so"],
  virtiofsd: ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"],
};

/** What another distribution must have, by the programs and files that are used. */
const otherPrograms = [
  "qemu-system-x86_64",
  "qemu-img",
  "virsh",
  "dnsmasq",
  "setfacl",
  "getfacl",
  "bsdtar",
  "dbus-daemon",
];

const installTimeout = 3600;

export const packages: Requirement = {
  id: "packages",
  description: "the packages that VMs need",
  fatal: true,
  right: "root",
  settle: 0,
  probe: async (host) => {
    const distribution = await readDistribution(host);
    if (distribution.family === "arch") return probeArch(host);
    if (distribution.family === "debian") return probeDebian(host);
    return probeOther(host, distribution);
  },
};

async function probeArch(host: Host): Promise<Finding | undefined> {
  // -T prints what is not satisfied, and takes a package that provides another for it. Status 127 says that there is some.
  const { stdout } = await attempt(["pacman", "-T", "--", ...archPackages, ...host.packages]);
  const missing = words(stdout);
  if (missing.length === 0) return undefined;
  return {
    reason: `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`,
    commands: [{ argv: ["pacman", "-S", "--needed", "--noconfirm", "--", ...missing], timeout: installTimeout }],
    // Arch supports no partial upgrade, so the package lists are never refreshed by us on their own.
    hint: `Run: sudo pacman -Syu --needed ${missing.join(" ")}`,
  };
}

async function probeDebian(host: Host): Promise<Finding | undefined> {
  const installed = await installedOnDebian([...debianPackages, ...host.packages]);
  const missing = [...debianPackages, ...host.packages].filter((name) => !installed.has(name));
  for (const [name, files] of Object.entries(debianSplitPackages)) {
    const there = await Promise.all(files.map((file) => exists(join(host.root, file))));
    // apt takes seconds to answer, so it is asked last.
    if (!there.includes(true) && (await knownToApt(name))) missing.push(name);
  }
  if (missing.length === 0) return undefined;
  const update: Command = { argv: ["apt-get", "-q", "update"], timeout: installTimeout };
  const install: Command = {
    argv: [
      ...(["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120", "-o", "Dpkg::Options::=--force-confold"] as const),
      ...["install", "--no-install-recommends", "--", ...missing],
    ],
    env: { DEBIAN_FRONTEND: "noninteractive", NEEDRESTART_MODE: "l" },
    timeout: installTimeout,
  };
  return {
    reason: `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not installed`,
    commands: (await aptListsAreFresh(host)) ? [install] : [update, install],
    hint: `See what apt says: sudo apt-get update && sudo apt-get install ${missing.join(" ")}`,
  };
}

/** A package whose files are unpacked but not configured does not count. */
async function installedOnDebian(names: readonly string[]): Promise<Set<string>> {
  // Status 1 says that some are unknown, which is an answer.
  const { stdout } = await attempt(["dpkg-query", "-W", "-f=${Package} ${db:Status-Abbrev}\n", "--", ...names]);
  const lines = stdout.split("\n").map((line) => words(line));
  return new Set(lines.filter(([, status]) => status === "ii" || status === "hi").map(([name]) => name ?? ""));
}

async function knownToApt(name: string): Promise<boolean> {
  const { status, stdout } = await attempt(["apt-cache", "show", "--no-all-versions", name]);
  return status === 0 && stdout.includes("Package:");
}

/** Lists of a day ago may name files that the mirror no longer has. */
async function aptListsAreFresh(host: Host): Promise<boolean> {
  const directory = join(host.root, "/var/lib/apt/lists");
  try {
    const names = await readdir(directory);
    if (!names.some((name) => /_Packages(\.\w+)?$/.test(name))) return false;
    return Date.now() - (await stat(directory)).mtimeMs < 24 * 3600 * 1000;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

async function probeOther(host: Host, distribution: Distribution): Promise<Finding | undefined> {
  const missing: string[] = [];
  for (const name of otherPrograms) if ((await findProgram(host, name)) === undefined) missing.push(name);
  const daemon = (await findProgram(host, "libvirtd")) ?? (await findProgram(host, "virtqemud"));
  if (daemon === undefined) missing.push("libvirtd");
  const firmware = await readdir(join(host.root, "/usr/share/qemu/firmware")).catch(() => []);
  if (firmware.length === 0) missing.push("UEFI firmware with its descriptors in /usr/share/qemu/firmware");
  const unknown = host.packages.filter((name) => name !== "");
  if (missing.length === 0 && unknown.length === 0) return undefined;
  const reason =
    missing.length > 0
      ? `${distribution.name} is not a distribution whose packages are known, and it lacks ${missing.join(", ")}`
      : `${distribution.name} is not a distribution whose packages can be installed: ${unknown.join(", ")}`;
  return {
    reason,
    commands: [],
    hint:
      missing.length > 0
        ? "Install QEMU for x86_64, libvirt with its QEMU driver and client, dnsmasq, OVMF, acl, bsdtar, dbus (and virt-viewer), then run: vms bootstrap"
        : "Install them by hand and leave `packages` out",
  };
}

/** Which of them pacman or apt would not take as a package's name; a trailing hyphen means "remove" to apt. */
export const packageName = /^[A-Za-z0-9@_][A-Za-z0-9@._+-]*(?<!-)$/;

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
