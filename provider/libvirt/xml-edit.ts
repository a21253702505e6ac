/**
 * Edits of an XML text. The parser says where each element stands, and only what is edited is written anew: everything else stays
 * as it is, byte for byte. A tree that is written back would lose what a parser does not keep: quotes, instructions, line ends.
 */
import { attribute, escapeXml, nameOf, parseXml, spanOf, type Span, type XmlNode } from "./xml.js";

interface Change extends Span {
  readonly text: string;
}

/** From the "<" of an element to the ">" that ends its start tag; a ">" may stand in an attribute. */
const startTag = /<[^\s/>]+(?:\s+[^\s=/>]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*\/?>/y;

const attributeOf = /\s+([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')/g;

export class XmlEdit {
  /** As it was parsed; changes are not seen in it. */
  readonly document: readonly XmlNode[];
  private readonly changes: Change[] = [];

  constructor(private readonly source: string) {
    this.document = parseXml(source);
  }

  /** The text with all changes. Throws where two of them touch the same place. */
  toString(): string {
    let [text, at] = ["", 0];
    // Those at one place stand in the order in which they were made.
    for (const change of [...this.changes].sort((a, b) => a.start - b.start || a.end - b.end)) {
      if (change.start < at) throw new Error(`two changes of the XML overlap at ${change.start}`);
      text += this.source.slice(at, change.start) + change.text;
      at = change.end;
    }
    return text + this.source.slice(at);
  }

  /** undefined takes the attribute out. */
  setAttribute(node: XmlNode, name: string, value: string | undefined): void {
    if (attribute(node, name) === value) return;
    const { start, tag } = this.startTagOf(node);
    const found = [...tag.matchAll(attributeOf)].find((match) => match[1] === name);
    if (found === undefined) {
      if (value !== undefined) this.put(start + 1 + nameOf(node).length, ` ${name}='${escapeXml(value)}'`);
      return;
    }
    const [whole, , quoted = ""] = found;
    const end = start + found.index + whole.length;
    if (value === undefined) this.change(end - whole.length, end, "");
    else this.change(end - quoted.length + 1, end - 1, escapeXml(value));
  }

  /** Replaces all that is in the element. */
  setText(node: XmlNode, value: string): void {
    this.setContent(node, escapeXml(value));
  }

  replace(node: XmlNode, xml: string): void {
    const { start, end } = spanOf(node);
    this.change(start, end, xml);
  }

  /** The element, and the line that it stood on where nothing else is on it. */
  remove(node: XmlNode): void {
    const { start, end } = spanOf(node);
    const [before] = /\r?\n[ \t]*$|$/.exec(this.source.slice(0, start)) ?? [""];
    const alone = /^[ \t]*(\r?\n|<)/.test(this.source.slice(end));
    this.change(alone ? start - before.length : start, end, "");
  }

  /** Behind all that is in the element, each on a line of its own. */
  append(node: XmlNode, ...xml: readonly string[]): void {
    if (xml.length === 0) return;
    const outer = this.indentOf(node);
    const text = xml.map((one) => `\n${outer}  ${one}`).join("");
    const content = this.contentOf(node);
    if (content === undefined || content.start === content.end) {
      this.setContent(node, `${text}\n${outer}`);
      return;
    }
    const inner = this.source.slice(content.start, content.end);
    const rest = inner.length - inner.trimEnd().length;
    this.put(content.end - rest, text);
    if (rest === 0) this.put(content.end, `\n${outer}`);
  }

  private setContent(node: XmlNode, xml: string): void {
    const content = this.contentOf(node);
    if (content !== undefined) {
      this.change(content.start, content.end, xml);
      return;
    }
    const { start, tag } = this.startTagOf(node);
    const slash = start + tag.length - 2;
    this.change(slash, slash + 2, `>${xml}</${nameOf(node)}>`);
  }

  /** What stands between the tags; undefined for one that has no end tag. */
  private contentOf(node: XmlNode): Span | undefined {
    const { start, tag } = this.startTagOf(node);
    if (tag.endsWith("/>")) return undefined;
    return { start: start + tag.length, end: this.source.lastIndexOf("</", spanOf(node).end - 1) };
  }

  private startTagOf(node: XmlNode): { start: number; tag: string } {
    const { start } = spanOf(node);
    startTag.lastIndex = start;
    const tag = startTag.exec(this.source)?.[0];
    if (tag === undefined) throw new Error(`the start of <${nameOf(node)}> cannot be found`);
    return { start, tag };
  }

  private indentOf(node: XmlNode): string {
    return /(?:^|\n)([ \t]*)$/.exec(this.source.slice(0, spanOf(node).start))?.[1] ?? "";
  }

  private put(at: number, text: string): void {
    this.change(at, at, text);
  }

  private change(start: number, end: number, text: string): void {
    this.changes.push({ start, end, text });
  }
}
