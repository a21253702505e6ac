/** Which files the domains of a host name as their disks: of all domains, whoever made them. */
import { hasCode } from "../errors.js";
import { type Connection, virsh } from "./virsh.js";
import { attribute, childrenOf, elements, find, nameOf, parseXml, type XmlNode } from "./xml.js";

/** Disks and what is known of their chains, of the running domains and of their definitions. */
export async function listDiskFiles(connection: Connection): Promise<Set<string>> {
  const uuids = (await virsh(connection, ["list", "--all", "--uuid"])).split("\n").filter((line) => line !== "");
  const texts = await Promise.all(
    uuids.flatMap((uuid) => [dump(connection, [uuid]), dump(connection, ["--inactive", uuid])]),
  );
  return new Set(texts.flatMap((text) => (text === undefined ? [] : readDiskFiles(text))));
}

/** The domains that have this file among their disks, by name. */
export async function domainsWithDisk(connection: Connection, file: string): Promise<string[]> {
  const names = (await virsh(connection, ["list", "--all", "--name"])).split("\n").filter((line) => line !== "");
  const texts = await Promise.all(names.map((name) => dump(connection, ["--inactive", name])));
  return names.filter((_, index) => readDiskFiles(texts[index] ?? "<domain/>").includes(file));
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
