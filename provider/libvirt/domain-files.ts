/** Which files the domains of a host name as their disks: of all domains, whoever made them. */
import { dumpAll } from "./dump.js";
import { readMark } from "./mark.js";
import type { Connection } from "./virsh.js";
import { attribute, childrenOf, elements, find, nameOf, parseXml, textOf, type XmlNode } from "./xml.js";

export interface DiskFiles {
  /** Disks and what is known of their chains, of the running domains and of their definitions. */
  readonly named: ReadonlySet<string>;
  /** Those of them that are missed where they are not there: of a VM that is being made, or deleted, that is no wonder. */
  readonly expected: ReadonlySet<string>;
}

export async function listDiskFiles(connection: Connection): Promise<DiskFiles> {
  const texts = await dumpEach(connection);
  const filesOf = (some: readonly string[]) => new Set(some.flatMap(readDiskFiles));
  return { named: filesOf(texts), expected: filesOf(texts.filter(isWhole)) };
}

const isWhole = (xml: string): boolean => (readMark(parseXml(xml))?.phase ?? "ready") === "ready";

export interface FileUser {
  /** The domain's. */
  readonly name: string;
  /**
   * Its disks, with what is known of their chains, and what its mark says is its own: a disk may be attached elsewhere for a while. An
   * install that is over may still name the disk that it has left to its VM.
   */
  readonly files: readonly string[];
}

/** A domain that runs is listed twice: as it runs, and as it is defined. */
export async function listFileUsers(connection: Connection): Promise<FileUser[]> {
  return (await dumpEach(connection)).map((xml) => {
    const document = parseXml(xml);
    const name = textOf(find(document, "domain", "name")) ?? "";
    const mark = readMark(document);
    const disks = mark?.phase === "installing" ? [] : readDiskFiles(xml);
    return { name, files: [...disks, ...(mark?.files ?? [])] };
  });
}

async function dumpEach(connection: Connection): Promise<string[]> {
  return (await Promise.all([dumpAll(connection, []), dumpAll(connection, ["--inactive"])])).flat();
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
