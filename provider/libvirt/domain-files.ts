/** Which files the domains of a host name as their disks: of all domains, whoever made them. */
import { dumpAll } from "./dump.js";
import type { Connection } from "./virsh.js";
import { attribute, childrenOf, elements, find, nameOf, parseXml, textOf, type XmlNode } from "./xml.js";

/** Disks and what is known of their chains, of the running domains and of their definitions. */
export async function listDiskFiles(connection: Connection): Promise<Set<string>> {
  const texts = await Promise.all([dumpAll(connection, []), dumpAll(connection, ["--inactive"])]);
  return new Set(texts.flat().flatMap(readDiskFiles));
}

/** The domains that have this file among their disks, by name. */
export async function domainsWithDisk(connection: Connection, file: string): Promise<string[]> {
  const having = (await dumpAll(connection, ["--inactive"])).filter((xml) => readDiskFiles(xml).includes(file));
  return having.map((xml) => textOf(find(parseXml(xml), "domain", "name")) ?? "");
}

/** Every file or device that a domain's disks name, backing files among them. */
export function readDiskFiles(xml: string): string[] {
  const devices = find(parseXml(xml), "domain", "devices");
  return devices === undefined ? [] : elements(devices, "disk").flatMap(sourcesIn);
}

function sourcesIn(node: XmlNode): string[] {
  const own = nameOf(node) === "source" ? [attribute(node, "file") ?? attribute(node, "dev")] : [];
  return [...own.filter((path) => path !== undefined), ...childrenOf(node).flatMap(sourcesIn)];
}
