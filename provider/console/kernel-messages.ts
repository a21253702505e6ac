/**
 * The kernel prints to the serial console without asking who else is printing: its message stands within their line, ends
 * the line, and the rest of theirs follows.
 */

/** As printk writes it, with its time stamp. */
const kernelMessage = /\[ *\d+\.\d{6}\][^\n]*\n/g;

/** A match, and where it begins and ends in the text as it is. */
export interface Found {
  readonly match: RegExpExecArray;
  readonly start: number;
  readonly end: number;
}

/** Matches a pattern in a text as it is or, where it is not there, in the text without what the kernel said in between. */
export function findAroundKernel(pattern: RegExp, text: string): Found | undefined {
  const plain = pattern.exec(text);
  if (plain !== null) return { match: plain, start: plain.index, end: plain.index + plain[0].length };
  const messages = [...text.matchAll(kernelMessage)];
  if (messages.length === 0) return undefined;
  const match = pattern.exec(text.replace(kernelMessage, ""));
  if (match === null) return undefined;
  const inText = (index: number): number =>
    messages.reduce((place, message) => (message.index < place ? place + message[0].length : place), index);
  return { match, start: inText(match.index), end: inText(match.index + match[0].length) };
}
