/**
 * Which UEFI variables template belongs to the firmware that libvirt chooses for our domains. libvirt copies it by itself at the
 * first start, but as root and with mode 0600: a VM's own copy is made beforehand, so that its owner's group can read it.
 *
 * The descriptors are those of qemu's docs/interop/firmware.json; libvirt takes the first, in the order of their names, that
 * fits what the domain asks for, and so do we.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { VmsError } from "../errors.js";

interface Descriptor {
  readonly "interface-types"?: readonly string[];
  readonly mapping?: {
    readonly device?: string;
    readonly "nvram-template"?: { readonly filename: string; readonly format: string };
  };
  readonly targets?: readonly { readonly architecture: string; readonly machines: readonly string[] }[];
  readonly features?: readonly string[];
}

/** Later directories are overridden by a file of the same name in an earlier one. */
const directories = ["/etc/qemu/firmware", "/usr/share/qemu/firmware"];

/** Throws VmsError (requirement) where no UEFI firmware without Secure Boot is installed. */
export async function nvramTemplate(searched: readonly string[] = directories): Promise<string> {
  const files = new Map<string, string>();
  for (const directory of [...searched].reverse()) {
    for (const name of await readdir(directory).catch(() => [])) {
      if (name.endsWith(".json")) files.set(name, join(directory, name));
    }
  }
  for (const [, path] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const text = await readFile(path, "utf8");
    // An empty descriptor is how an administrator hides one of the same name.
    const template = text.trim() === "" ? undefined : templateOf(JSON.parse(text) as Descriptor);
    if (template !== undefined) return template;
  }
  throw new VmsError("requirement", "no UEFI firmware for x86_64 virtual machines is installed", {
    hint: "Run: vms bootstrap (it installs edk2-ovmf, on Debian ovmf)",
  });
}

function templateOf(descriptor: Descriptor): string | undefined {
  const features = descriptor.features ?? [];
  const target = descriptor.targets?.find((candidate) => candidate.architecture === "x86_64");
  const nvram = descriptor.mapping?.["nvram-template"];
  const fits =
    descriptor["interface-types"]?.includes("uefi") === true &&
    descriptor.mapping?.device === "flash" &&
    target?.machines.some((machine) => machine.includes("q35")) === true &&
    !features.includes("secure-boot") &&
    !features.includes("enrolled-keys");
  return fits && nvram?.format === "raw" ? nvram.filename : undefined;
}
