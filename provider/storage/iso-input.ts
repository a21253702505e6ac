/** What a user may give as `iso`, what becomes of it, and what is wrong with what cannot be taken. Pure: nothing is looked up. */
import { isAbsolute } from "node:path";
import { VmsError } from "../errors.js";

/** An absolute path, an https URL (with sha256sums.txt beside it), or a URL and the SHA-256 of what it serves. */
export type IsoInput = string | { url: string; sha256: string };

/** A file that may be booted; `sha256` is in lower-case hexadecimal. */
export interface Iso {
  readonly path: string;
  readonly sha256: string;
}

export type IsoSource =
  | { readonly kind: "official" }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "url"; readonly url: string; readonly sha256?: string };

/** A sentence about what is wrong with `input`; undefined where it can be taken, or where nothing is given. */
export function checkIsoInput(input: unknown): string | undefined {
  if (input === undefined) return undefined;
  if (typeof input === "string") return checkText(input);
  if (typeof input !== "object" || input === null || Array.isArray(input)) return shapes;
  const { url, sha256, ...others } = input as Record<string, unknown>;
  const unknown = Object.keys(others);
  if (unknown.length > 0) return `the ISO has no property ${unknown.join(", ")}: ${shapes}`;
  if (typeof url !== "string") return `the ISO's url is missing: ${shapes}`;
  if (typeof sha256 !== "string") return `the ISO's sha256 is missing: ${shapes}`;
  if (isAbsolute(url)) return `the ISO's url ${quote(url)} is a path: give a path as it is, iso: ${quote(url)}`;
  if (!/^[0-9a-f]{64}$/i.test(sha256)) return `the ISO's sha256 ${quote(sha256)} is not 64 hexadecimal digits`;
  return checkUrl(url);
}

/** Throws VmsError (input) with the sentence of `checkIsoInput`. */
export function parseIsoInput(input: IsoInput | undefined): IsoSource {
  const wrong = checkIsoInput(input);
  if (wrong !== undefined) throw new VmsError("input", wrong);
  if (input === undefined) return { kind: "official" };
  if (typeof input === "object") return { kind: "url", url: input.url, sha256: input.sha256.toLowerCase() };
  return isAbsolute(input) ? { kind: "path", path: input } : { kind: "url", url: input };
}

/** Plain http is taken from this machine only, where nobody is in between. */
export function isSafeUrl({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname));
}

const shapes = 'write an absolute path, an https URL, or { url: "https://...", sha256: "..." }';
const quote = (text: string): string => JSON.stringify(text);

function checkText(text: string): string | undefined {
  if (text === "") return `the ISO is empty: ${shapes}, or leave it out for the official one`;
  if (isAbsolute(text)) {
    return /[\0\n]/.test(text) ? `the ISO's path ${quote(text)} has a character that no path may have` : undefined;
  }
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return `the ISO ${quote(text)} is a relative path: ${shapes}`;
  return checkUrl(text);
}

function checkUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return `the ISO ${quote(text)} is not a URL: ${shapes}`;
  const url = new URL(text);
  if (url.protocol === "file:") return `the ISO ${quote(text)} is a file: write its path, ${quote(url.pathname)}`;
  // The URL is not repeated here: what is wrong with it is that it holds a password.
  if (url.username !== "" || url.password !== "") return "the ISO's URL holds a user or a password: it must not";
  if (url.protocol === "http:" && !isSafeUrl(url)) return `the ISO ${quote(text)} would come unprotected: write https`;
  if (!isSafeUrl(url)) return `the ISO ${quote(text)} has a scheme that is not known here: ${shapes}`;
  if (/%(?![0-9a-f]{2})/i.test(url.pathname))
    return `the ISO ${quote(text)} has a % that stands for nothing: write %25`;
  if (url.pathname.endsWith("/")) return `the ISO ${quote(text)} names a folder: write the URL of the ISO in it`;
  return undefined;
}
