/** Sizes with a unit. Units are binary whatever they are called: K, KB and KiB are all 1024 bytes. */
import { VmsError } from "../errors.js";

const units = ["K", "M", "G", "T"] as const;

/**
 * Bytes of a size such as "20G", "512 MiB" or "1tb".
 * Throws VmsError (input) where there is no unit, a fraction, a sign, nothing, or more than a disk can have.
 */
export function parseSize(text: string): number {
  const match = /^(\d+) ?([KMGT])(?:i?B)?$/i.exec(text);
  if (match === null) throw new VmsError("input", `${JSON.stringify(text)} is not a size: ${reasonAgainst(text)}`);
  const exponent = units.findIndex((unit) => unit === match[2]?.toUpperCase()) + 1;
  const bytes = Number(match[1]) * 1024 ** exponent;
  if (bytes === 0) throw new VmsError("input", `${JSON.stringify(text)} is not a size: it must be more than nothing`);
  if (!Number.isSafeInteger(bytes)) {
    throw new VmsError("input", `${JSON.stringify(text)} is too large: 8191T is the most`);
  }
  return bytes;
}

/** For people: "20 GiB", "1.2 GiB", "512 bytes". What is a whole number of its unit is read back by `parseSize`. */
export function formatSize(bytes: number): string {
  const exponent = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length);
  const unit = units[exponent - 1];
  if (unit === undefined) return `${bytes} bytes`;
  return `${Number((bytes / 1024 ** exponent).toFixed(1))} ${unit}iB`;
}

function reasonAgainst(text: string): string {
  if (/^\d+$/.test(text)) return `it has no unit; write ${text}G for ${text} GiB, or ${text}M for ${text} MiB`;
  if (/^-/.test(text)) return "it must not be negative; write a number and a unit, such as 20G";
  if (/^\d*[.,]\d/.test(text)) return "it must be a whole number; write 1536M instead of 1.5G";
  return "write a whole number and one of the units K, M, G, T, such as 20G";
}
