/** Directories of the host that a guest mounts, in a domain's XML. Those of ours are told by their tag. */
import { createHash } from "node:crypto";
import { child, devicesOf, editDomain } from "./domain-edit.js";
import { attribute, escapeXml, type XmlNode } from "./xml.js";
import type { XmlEdit } from "./xml-edit.js";

export interface SharedDirectory {
  /** On the host. */
  readonly source: string;
  /** Where the guest mounts it. */
  readonly target: string;
  readonly readOnly: boolean;
}

const tagPrefix = "vms-share-";

/** The name that the guest knows a share by: the same for the same target. 9p takes 31 bytes at most. */
export function shareTag({ target }: Pick<SharedDirectory, "target">): string {
  return tagPrefix + createHash("sha256").update(target).digest("hex").slice(0, 12);
}

/** Makes these the shares of ours; file systems of others stay. */
export function replaceShares(xml: string, shares: readonly SharedDirectory[]): string {
  return editDomain(xml, (edit, domain) => {
    const devices = child(domain, "devices");
    if (devices === undefined) return;
    for (const node of devicesOf(domain, "filesystem")) {
      if (attribute(child(node, "target"), "dir")?.startsWith(tagPrefix) === true) edit.remove(node);
    }
    edit.append(devices, ...shares.map(filesystemXml));
    if (shares.some((share) => !share.readOnly)) shareMemory(edit, domain);
  });
}

/**
 * By virtiofs, with the rights of root on the host. Read-only ones by 9p: qemu itself refuses to write, while a guest could mount
 * a virtiofs of today's libvirt as it likes.
 */
function filesystemXml(share: SharedDirectory): string {
  const { source, readOnly } = share;
  const places = `<source dir='${escapeXml(source)}'/><target dir='${shareTag(share)}'/>`;
  return readOnly
    ? `<filesystem type='mount' accessmode='mapped'>${places}<readonly/></filesystem>`
    : `<filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/>${places}</filesystem>`;
}

/** virtiofsd works on the guest's memory, so it must be shared with it; how it is backed else is the user's. */
function shareMemory(edit: XmlEdit, domain: XmlNode): void {
  const backing = child(domain, "memoryBacking");
  if (backing === undefined) {
    edit.append(domain, "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>");
    return;
  }
  const access = child(backing, "access");
  if (access !== undefined) edit.setAttribute(access, "mode", "shared");
  const backed = child(backing, "source") !== undefined || child(backing, "hugepages") !== undefined;
  edit.append(
    backing,
    ...(backed ? [] : ["<source type='memfd'/>"]),
    ...(access === undefined ? ["<access mode='shared'/>"] : []),
  );
}
