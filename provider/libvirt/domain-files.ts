/** Which files the domains of a host name as their disks: of all domains, whoever made them. */
import { hasCode } from "../errors.js";
import { type Connection, virsh } from "./virsh.js";
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

async function dumpAll(connection: Connection, flags: readonly string[]): Promise<string[]> {
  const uuids = (await virsh(connection, ["list", "--all", "--uuid"])).split("\n").filter((line) => line !== "");
  const texts = await Promise.all(uuids.map((uuid) => dump(connection, [...flags, uuid])));
  return texts.filter((text) => text !== undefined);
}

/** undefined: the domain has gone meanwhile. */
async function dump(connection: Connection, args: readonly string[]): Promise<string | undefined> {
  try {
    return await virsh(connection, ["dumpxml", ...args]);
  } catch (error) {
    if (hasCode(error, "gone")) return undefined;
    throw error;
  }
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
