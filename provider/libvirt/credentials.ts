/** The systemd credentials of ours (`vms.*`) in a domain's SMBIOS strings, which its next boot hands to the guest. */
import { defineDomain } from "./domain.js";
import { replaceCredentials } from "./domain-edit.js";
import { type Connection, virsh } from "./virsh.js";
import { attribute, childrenOf, elements, find, nameOf, parseXml, textOf } from "./xml.js";

export type Credentials = Readonly<Record<string, string>>;

/** Those of ours, by name. */
export function readCredentials(xml: string): Record<string, string> {
  const domain = find(parseXml(xml), "domain");
  const tables = (domain === undefined ? [] : elements(domain, "sysinfo")).filter(
    (node) => attribute(node, "type") === "smbios",
  );
  const strings = tables.flatMap(childrenOf).filter((node) => nameOf(node) === "oemStrings");
  const entries = strings.flatMap((node) => elements(node, "entry")).map((node) => textOf(node)?.trim() ?? "");
  return Object.fromEntries(entries.flatMap((entry) => readEntry(entry) ?? []));
}

function readEntry(entry: string): [[string, string]] | undefined {
  const match = /^io\.systemd\.credential(\.binary)?:(vms\.[^=]+)=([^]*)$/.exec(entry);
  const [, binary, name, value] = match ?? [];
  if (name === undefined || value === undefined) return undefined;
  return [[name, binary === undefined ? value : Buffer.from(value, "base64").toString("utf8")]];
}

/** Those in the persistent definition. */
export async function definedCredentials(connection: Connection, uuid: string): Promise<Credentials> {
  return readCredentials(await virsh(connection, ["dumpxml", "--inactive", uuid]));
}

/** Replaces ours in the persistent definition; everything else of it stays, and a guest that runs is not told. */
export async function writeCredentials(connection: Connection, uuid: string, credentials: Credentials): Promise<void> {
  const xml = await virsh(connection, ["dumpxml", "--inactive", "--security-info", uuid]);
  await defineDomain(connection, replaceCredentials(xml, credentials));
}
