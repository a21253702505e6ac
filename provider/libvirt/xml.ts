/** XML as libvirt writes it, as a tree that keeps order, comments and namespaces (fast-xml-parser, preserveOrder). */
import { XMLParser } from "fast-xml-parser";

/** One node of the tree: a single key that is the element's name, and its attributes under ":@". */
export type XmlNode = Record<string, XmlNode[] | Record<string, string> | string>;

const attributesKey = ":@";

const options = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  commentPropName: "#comment",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
} as const;

export function parseXml(text: string): XmlNode[] {
  return new XMLParser({ ...options, processEntities: true, htmlEntities: true }).parse(text) as XmlNode[];
}

/** Text as it must stand in an element or an attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function nameOf(node: XmlNode): string {
  return Object.keys(node).find((key) => key !== attributesKey) ?? "";
}

export function childrenOf(node: XmlNode): XmlNode[] {
  const content = node[nameOf(node)];
  return Array.isArray(content) ? content : [];
}

export function attribute(node: XmlNode | undefined, name: string): string | undefined {
  const attributes = node?.[attributesKey];
  if (attributes === undefined || typeof attributes === "string" || Array.isArray(attributes)) return undefined;
  return attributes[name];
}

/** The children that bear the name. */
export function elements(parent: XmlNode | readonly XmlNode[], name: string): XmlNode[] {
  const nodes = Array.isArray(parent) ? (parent as readonly XmlNode[]) : childrenOf(parent as XmlNode);
  return nodes.filter((node) => nameOf(node) === name);
}

/** The first element at a path of names, from the document's root element on. */
export function find(document: readonly XmlNode[], ...path: readonly string[]): XmlNode | undefined {
  let level: readonly XmlNode[] = document;
  let found: XmlNode | undefined;
  for (const name of path) {
    found = elements(level, name)[0];
    if (found === undefined) return undefined;
    level = childrenOf(found);
  }
  return found;
}

export function textOf(node: XmlNode | undefined): string | undefined {
  if (node === undefined) return undefined;
  return childrenOf(node)
    .map((child) => (typeof child["#text"] === "string" ? child["#text"] : ""))
    .join("");
}
