/** XML as libvirt writes it, as a tree that keeps order, comments and namespaces (fast-xml-parser, preserveOrder). */
import { XMLParser } from "fast-xml-parser";

/** One node of the tree: a single key that is the element's name, its attributes under ":@", and under a symbol where it stood. */
export type XmlNode = Record<string, XmlNode[] | Record<string, string> | string>;

/** Where an element stood in the text that was parsed: from its "<" to behind its last ">". */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const attributesKey = ":@";

const options = {
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  commentPropName: "#comment",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  captureMetaData: true,
} as const;

export function parseXml(text: string): XmlNode[] {
  return new XMLParser({ ...options, processEntities: true, htmlEntities: true }).parse(text) as XmlNode[];
}

/** Text as it must stand in an element or an attribute; in an attribute a line break or tab would be read as a space. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

const metaData = XMLParser.getMetaDataSymbol().valueOf();

/** Only of an element: text and comments have none of their own. */
export function spanOf(node: XmlNode): Span {
  const place = Reflect.get(node, metaData) as { startIndex?: number; endIndex?: number } | undefined;
  const { startIndex: start, endIndex: end } = place ?? {};
  if (start === undefined || end === undefined) throw new Error(`the place of <${nameOf(node)}> is not known`);
  return { start, end };
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
