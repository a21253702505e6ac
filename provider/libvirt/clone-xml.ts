/** A clone's definition, made from its source's: what must differ does, and everything else stays as it is, byte for byte. */
import { randomUUID } from "node:crypto";
import { VmsError } from "../errors.js";
import { replaceEndpoints } from "./clone-endpoints.js";
import { readWritableDisks } from "./disks.js";
import {
  child,
  devicesOf,
  editDomain,
  replaceCredentials,
  replaceDiskFiles,
  replaceMark,
  setConsoleLog,
  setCpus,
  setMemory,
} from "./domain-edit.js";
import { randomMac } from "./domain-xml.js";
import type { Mark } from "./mark.js";
import { attribute, elements, escapeXml, find, parseXml, textOf, type XmlNode } from "./xml.js";
import type { XmlEdit } from "./xml-edit.js";

export interface CloneChanges {
  readonly name: string;
  readonly uuid: string;
  /** From the path of each writable disk of the source to the clone's own. */
  readonly disks: ReadonlyMap<string, string>;
  /** The clone's UEFI variables; needed where the source has some. */
  readonly nvram?: string | undefined;
  readonly consoleLog: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly mark: Mark;
  /** In MiB. */
  readonly memory?: number | undefined;
  readonly cpus?: number | undefined;
}

/**
 * @param sourceXml what `virsh dumpxml --inactive --security-info` says of the source; `whatCannotBeCloned` has nothing against it
 * Throws VmsError where a writable disk or the UEFI variables would be shared with the source.
 */
export function cloneXml(sourceXml: string, changes: CloneChanges): string {
  const name = textOf(find(parseXml(sourceXml), "domain", "name"))?.trim() ?? "";
  requireOwnDisks(sourceXml, changes.disks);
  let xml = editDomain(sourceXml, (edit, domain) => {
    replaceIdentity(edit, domain, changes);
    replaceNvram(edit, domain, changes.nvram);
  });
  xml = replaceEndpoints(xml, name, changes.name);
  xml = setConsoleLog(xml, changes.consoleLog);
  xml = replaceDiskFiles(xml, changes.disks);
  xml = replaceCredentials(xml, changes.credentials);
  xml = replaceMark(xml, changes.mark);
  if (changes.memory !== undefined) xml = setMemory(xml, changes.memory);
  if (changes.cpus !== undefined) xml = setCpus(xml, changes.cpus);
  return xml;
}

function requireOwnDisks(sourceXml: string, disks: ReadonlyMap<string, string>): void {
  for (const { file: path } of readWritableDisks(sourceXml)) {
    if (disks.has(path) && disks.get(path) !== path) continue;
    throw new VmsError("unsupported", `its disk ${path} would be written by the clone as well`);
  }
}

/** Name, UUID, addresses, and what a guest can tell a machine by. */
function replaceIdentity(edit: XmlEdit, domain: XmlNode, { name, uuid }: CloneChanges): void {
  set(edit, child(domain, "name"), name);
  set(edit, child(domain, "uuid"), uuid);
  const genid = child(domain, "genid");
  // An empty one is made by libvirt at each start.
  if (genid !== undefined && textOf(genid)?.trim() !== "") edit.setText(genid, randomUUID());
  for (const nic of devicesOf(domain, "interface")) {
    const mac = child(nic, "mac");
    if (mac === undefined) edit.append(nic, `<mac address='${randomMac()}'/>`);
    else edit.setAttribute(mac, "address", randomMac());
  }
  for (const table of elements(domain, "sysinfo").filter((node) => attribute(node, "type") === "smbios")) {
    for (const entry of ["system", "baseBoard", "chassis"].flatMap((part) => machineEntries(table, part)))
      edit.setText(entry, uuid);
  }
}

/** libvirt wants the system's UUID to be the domain's, and serials of ours are made of it too. */
function machineEntries(sysinfo: XmlNode, part: string): XmlNode[] {
  const entries = elements(sysinfo, part).flatMap((node) => elements(node, "entry"));
  return entries.filter((entry) => ["uuid", "serial"].includes(attribute(entry, "name") ?? ""));
}

function replaceNvram(edit: XmlEdit, domain: XmlNode, path: string | undefined): void {
  const os = child(domain, "os");
  const nvram = child(os, "nvram");
  if (nvram === undefined) {
    // libvirt names a file for the variables of a firmware that it chose, at the first start.
    if (path !== undefined && os !== undefined && attribute(os, "firmware") === "efi")
      edit.append(os, `<nvram>${escapeXml(path)}</nvram>`);
    return;
  }
  if (path === undefined) throw new VmsError("unsupported", "its UEFI variables would be written by the clone as well");
  const source = child(nvram, "source");
  if (source === undefined) edit.setText(nvram, path);
  else edit.setAttribute(source, "file", path);
}

function set(edit: XmlEdit, node: XmlNode | undefined, value: string): void {
  if (node !== undefined) edit.setText(node, value);
}
