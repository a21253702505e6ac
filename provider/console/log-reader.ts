/** Reads a console's log, as plain text: what there is of it, and what is appended from then on. */
import { open, readdir, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { VmsError } from "../errors.js";
import { Deadline, poll } from "../host/deadline.js";
import { PlainText } from "./plain-text.js";

export interface FollowOptions {
  /** Asked from time to time whether nothing will be appended any more. */
  readonly isOver: () => Promise<boolean>;
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds between two looks at the file, and looks between two questions whether it is over. */
const every = 250;
const looksBetween = 8;

/** Hands over the whole log, with what it was rotated to first. Throws VmsError: gone, permission. */
export async function readLog(path: string, emit: (text: string) => void): Promise<void> {
  const file = await openLog(path);
  try {
    const text = new LogText(emit);
    for (const older of await rotations(path)) await readAll(older, text);
    await text.take(file);
    text.end();
  } finally {
    await file.close();
  }
}

/** As `readLog`, and then what is appended until it is over. Throws VmsError (cancelled) too. */
export async function followLog(
  path: string,
  emit: (text: string) => void,
  { isOver, signal }: FollowOptions,
): Promise<void> {
  let file = await openLog(path);
  try {
    const text = new LogText(emit);
    for (const older of await rotations(path)) await readAll(older, text);
    let looks = 0;
    const look = async (): Promise<true | undefined> => {
      const over = looks++ % looksBetween === 0 && (await isOver());
      await text.take(file);
      const next = await rotated(path, file);
      if (next !== undefined) {
        // What came between the last piece and the rotation.
        await text.take(file);
        await file.close();
        file = next;
        text.restart();
        await text.take(file);
      }
      return over ? true : undefined;
    };
    await poll(look, { deadline: new Deadline(Infinity), every, signal });
    text.end();
  } finally {
    await file.close();
  }
}

/** The text of a file that grows. */
class LogText {
  readonly #decoder = new StringDecoder("utf8");
  readonly #plain = new PlainText();
  readonly #buffer = Buffer.alloc(64 * 1024);
  #at = 0;

  constructor(private readonly emit: (text: string) => void) {}

  /** What there is by now. */
  async take(file: FileHandle): Promise<void> {
    // Emptied by somebody: it begins anew.
    if ((await file.stat()).size < this.#at) this.#at = 0;
    for (;;) {
      const { bytesRead } = await file.read(this.#buffer, 0, this.#buffer.length, this.#at);
      if (bytesRead === 0) return;
      this.#at += bytesRead;
      this.#emit(this.#plain.push(this.#decoder.write(this.#buffer.subarray(0, bytesRead))));
    }
  }

  restart(): void {
    this.#at = 0;
  }

  end(): void {
    this.#emit(this.#plain.push(this.#decoder.end()) + this.#plain.flush());
  }

  #emit(text: string): void {
    if (text !== "") this.emit(text);
  }
}

async function readAll(path: string, text: LogText): Promise<void> {
  const file = await openLog(path);
  try {
    await text.take(file);
    text.restart();
  } finally {
    await file.close();
  }
}

/** The new file under the path, where there is one. */
async function rotated(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const [named, opened] = [await stat(path).catch(() => undefined), await file.stat()];
  // Removed: what is open can be read to its end.
  if (named === undefined || (named.ino === opened.ino && named.dev === opened.dev)) return undefined;
  return openLog(path);
}

/** What virtlogd put aside when the log had grown: `<log>.2`, `<log>.1`, `<log>.0`, the oldest first. */
async function rotations(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.`;
  const numbers = (await readdir(dirname(path)))
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
  return numbers.sort((a, b) => b - a).map((number) => join(dirname(path), `${prefix}${number}`));
}

async function openLog(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new VmsError(
      missing ? "gone" : "permission",
      missing
        ? `its console log ${path} is not there`
        : `its console log ${path} cannot be read: ${(error as Error).message}`,
      missing
        ? {}
        : { hint: "Run: vms bootstrap (it puts you into the libvirt group), then log in again", cause: error },
    );
  }
}
