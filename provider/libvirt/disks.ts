/** The disks in a domain's definition. */
import { isReadOnly } from "./clone-refusals.js";
import { attribute, elements, find, parseXml } from "./xml.js";

export interface Disk {
  /** Its name in the definition: "vda". */
  readonly target: string;
  /** Its top file; undefined where it is none: an empty drive, a device, a volume. */
  readonly file: string | undefined;
  /** Whether the guest can write to it. */
  readonly writable: boolean;
}

/** In the order of the definition; the first is the one that the guest boots from. */
export function readDisks(xml: string): Disk[] {
  const devices = find(parseXml(xml), "domain", "devices");
  if (devices === undefined) return [];
  return elements(devices, "disk").map((node) => ({
    target: attribute(elements(node, "target")[0], "dev") ?? "",
    file: attribute(elements(node, "source")[0], "file"),
    writable: !isReadOnly(node),
  }));
}

export type WritableDisk = Disk & { readonly file: string };

/** Those that a clone needs its own of. */
export function readWritableDisks(xml: string): WritableDisk[] {
  return readDisks(xml).filter((disk): disk is WritableDisk => disk.writable && disk.file !== undefined);
}
