/** The systemd credentials in a domain's SMBIOS strings. */
import { attribute, childrenOf, elements, find, nameOf, parseXml, textOf } from "./xml.js";

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
