/** The file that holds everything a console printed, as plain text and without secrets. */
import { closeSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { VmsError } from "../errors.js";

export const hidden = "********";

/** Replaces each of the secrets, the longest first: one may be a part of another. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const parts = secrets.flatMap((secret) => secret.split(/[\r\n]+/)).filter((part) => part !== "");
  return parts.sort((a, b) => b.length - a.length).reduce((rest, part) => rest.replaceAll(part, hidden), text);
}

export class ConsoleLog {
  #line = "";
  #file: number | undefined;

  /**
   * Appends to the file, which its owner and group may read. Writes are synchronous: a console is slow, and what it said
   * last is what counts when this process is killed. Throws VmsError (permission) where the file cannot be opened.
   */
  constructor(
    readonly path: string,
    private readonly secrets: readonly string[],
  ) {
    try {
      this.#file = openSync(path, "a", 0o640);
    } catch (error) {
      throw new VmsError("permission", `the console log ${path} cannot be opened: ${(error as Error).message}`, {
        hint: "Run: vms bootstrap",
        cause: error,
      });
    }
  }

  /** Writes the lines that are complete: a secret may come in two pieces, but not on two lines. */
  write(text: string): void {
    this.#line += text;
    const end = this.#line.lastIndexOf("\n") + 1;
    this.#put(this.#line.slice(0, end));
    this.#line = this.#line.slice(end);
  }

  /** Writes a line of our own, after the line that the console is in. */
  note(text: string): void {
    this.write(`${this.#line === "" ? "" : "\n"}== ${text}\n`);
  }

  close(): void {
    if (this.#file === undefined) return;
    try {
      if (this.#line !== "") this.#put(`${this.#line}\n`);
    } finally {
      closeSync(this.#file);
      this.#file = undefined;
    }
  }

  #put(text: string): void {
    if (text === "" || this.#file === undefined) return;
    try {
      writeSync(this.#file, hideSecrets(text, this.secrets));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const reason = code === "ENOSPC" ? "the disk is full" : message;
      throw new VmsError("requirement", `the console log ${this.path} cannot be written: ${reason}`, {
        hint: `Run: df -h ${dirname(this.path)}`,
        cause: error,
      });
    }
  }
}
