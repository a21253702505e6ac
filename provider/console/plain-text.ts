/**
 * What a terminal's stream says, without what it does: escape sequences (colours, titles, cursor movements, queries), NUL
 * padding and other control characters are taken out, line ends become `\n`. Guests print to the console as they like, so
 * this also keeps their escapes out of logs and error messages, and so away from the user's terminal.
 */
const ESC = "\u001b";
const BEL = "\u0007";
/** OSC, DCS, SOS, PM and APC: strings that run until BEL or ESC \. */
const stringStart = `${ESC}[\\]PX^_][^${BEL}${ESC}]*`;
const controlStart = `${ESC}\\[[0-?]*[ -/]*`;
const sequence = new RegExp(`${stringStart}(?:${BEL}|${ESC}\\\\)|${controlStart}[@-~]|${ESC}[ -/]*[0-~]`, "g");
/** The end of a piece that the next one may continue: half a sequence, or a carriage return before its line feed. */
const unfinished = new RegExp(`(?:${stringStart}${ESC}?|${controlStart}|${ESC}[ -/]*|\\r[\\r\\0]*)$`);
/** All controls but tab, line feed and carriage return. */
const controls = /[^\P{Cc}\t\n\r]/gu;

/** A sequence that is longer than this has lost its end and is taken as text. */
const longestSequence = 4096;

export class PlainText {
  #held = "";

  /** The plain text of the next piece. What may be the beginning of a sequence is kept until its rest comes. */
  push(piece: string): string {
    const text = this.#held + piece;
    const rest = unfinished.exec(text)?.[0] ?? "";
    this.#held = rest.length > longestSequence ? "" : rest;
    return toPlain(text.slice(0, text.length - this.#held.length));
  }

  /** What was kept, at the end of the stream. */
  flush(): string {
    const rest = this.#held;
    this.#held = "";
    return toPlain(rest);
  }
}

function toPlain(text: string): string {
  return text.replace(sequence, "").replace(controls, "").replace(/\r+\n/g, "\n");
}
