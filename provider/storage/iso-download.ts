/**
 * Downloads that go on where they stopped. While it is incomplete a file is `<target>.part`, and `<target>.part.json` says
 * what it is a part of. It is continued only while the server says that it still has that very file.
 */
import { type FileHandle, access, constants, open, readFile, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { sleep } from "../host/deadline.js";
import { diskFull, freeSpace, saysDiskFull } from "./disk-space.js";
import { type Patience, type Reply, InterruptedTransfer, get } from "./iso-http.js";
import { reportAmount } from "./iso-progress.js";
import { replaceFile } from "./replace-file.js";
import { formatSize } from "./size.js";
import { isErrno } from "../host/errno.js";

export interface Wanted {
  readonly url: string;
  /** Where the incomplete file is. */
  readonly part: string;
  /** What the whole will be: a part of anything else is thrown away. */
  readonly sha256: string;
}

/** What an incomplete file is a part of. */
interface PartRecord {
  readonly sha256: string;
  /** What `If-Range` takes: a strong ETag, or the time of the last change. */
  readonly validator?: string;
  /** Of the whole, in bytes. */
  readonly size?: number;
}

interface Part extends PartRecord {
  readonly offset: number;
}

/**
 * Makes `part` whole. `continued` says that an earlier run had begun it. Throws VmsError: unreachable (what has come is
 * kept), requirement (the disk is full; what has come is kept), gone, cancelled.
 */
export async function download(wanted: Wanted, context: Context, patience: Patience): Promise<{ continued: boolean }> {
  const begun = await findPart(wanted);
  await persist(
    context,
    patience,
    () => partSize(wanted.part),
    () => continueDownload(wanted, context, patience),
  );
  return { continued: begun !== undefined };
}

/** Does `work` again while it is interrupted; gives up when it fails so often in a row without `progress` growing by 1 MiB. */
export async function persist<T>(
  context: Context,
  patience: Patience,
  progress: () => Promise<number>,
  work: () => Promise<T>,
): Promise<T> {
  let furthest = await progress();
  for (let fruitless = 0; ;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof InterruptedTransfer)) throw error;
      const now = await progress();
      fruitless = now >= furthest + 1024 ** 2 ? 0 : fruitless + 1;
      furthest = Math.max(furthest, now);
      if (fruitless >= patience.attempts) throw givenUp(error, fruitless, now);
      context.progress.detail(`${error.message}: trying again`);
      await sleep(patience.pause * 1000 * 2 ** Math.max(fruitless - 1, 0), context.signal);
    }
  }
}

/** Takes away what has come so far. */
export async function discardPart(part: string): Promise<void> {
  await rm(recordOf(part), { force: true });
  await rm(part, { force: true });
}

async function continueDownload(wanted: Wanted, context: Context, patience: Patience): Promise<void> {
  const begun = await findPart(wanted);
  if (begun !== undefined && begun.offset === begun.size) return;
  const reply = await get(wanted.url, begun === undefined ? {} : rangeOf(begun), patience.silence, context.signal);
  try {
    const part =
      reply.status === 206 && begun !== undefined ? continues(reply, begun) : await beginAgain(wanted, reply);
    if (part === undefined) {
      await discardPart(wanted.part);
      throw new InterruptedTransfer("the file on the server has changed");
    }
    await checkRoom(wanted.part, part);
    await receive(reply, wanted.part, part, context);
  } finally {
    reply.discard();
  }
}

/** The part that is there, where it is one of what is wanted, and can be continued by us. */
async function findPart({ part, sha256 }: Wanted): Promise<Part | undefined> {
  const offset = await partSize(part);
  const record = await readRecord(part);
  const fits = record?.sha256 === sha256 && (record.validator !== undefined || offset === record.size);
  const usable = offset > 0 && fits && offset <= (record.size ?? Infinity) && (await isWritable(part));
  return usable ? { ...record, offset } : undefined;
}

function rangeOf({ offset, validator = "" }: Part): Record<string, string> {
  return { range: `bytes=${offset}-`, "if-range": validator };
}

/** The part, where the reply goes on exactly behind it; a server may heed Range and not If-Range, so both are compared. */
function continues(reply: Reply, begun: Part): Part | undefined {
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(reply.headers.get("content-range") ?? "") ?? [];
  const same =
    validatorOf(reply.headers) === begun.validator && (begun.size === undefined || begun.size === Number(total));
  return same && Number(from) === begun.offset ? { ...begun, size: Number(total) } : undefined;
}

/** The reply is the whole file: what was there counts no more. undefined where it is not the whole file either. */
async function beginAgain({ part, sha256 }: Wanted, reply: Reply): Promise<Part | undefined> {
  if (reply.status !== 200) return undefined;
  const validator = validatorOf(reply.headers);
  const length = reply.headers.get("content-length");
  const record: PartRecord = {
    sha256,
    ...(validator === undefined ? {} : { validator }),
    ...(length === null ? {} : { size: Number(length) }),
  };
  await writing(part, record.size, async () => {
    await discardPart(part);
    await replaceFile(recordOf(part), JSON.stringify(record));
  });
  return { ...record, offset: 0 };
}

/** A weak ETag does not promise the same bytes. */
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  return etag !== null && !etag.startsWith("W/") ? etag : (headers.get("last-modified") ?? undefined);
}

async function receive(reply: Reply, path: string, { offset, size }: Part, context: Context): Promise<void> {
  const report = reportAmount(context, "fetching the ISO", size);
  const file = await open(path, offset === 0 ? "w" : "r+", 0o644);
  let done = offset;
  try {
    for await (const chunk of reply.body) {
      await writing(path, size === undefined ? undefined : size - done, () => writeAll(file, chunk, done));
      report((done += chunk.length));
    }
    if (size !== undefined && done !== size) throw new InterruptedTransfer("the server stopped in the middle");
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    const { bytesWritten } = await file.write(chunk, written, chunk.length - written, position + written);
    written += bytesWritten;
  }
}

async function checkRoom(path: string, { offset, size = 0 }: Part): Promise<void> {
  if ((await freeSpace(dirname(path))) < size - offset) throw await tooLittleRoom(path, size - offset);
}

/** Does `work`, which writes; a full disk is told as such. `needed` is in bytes. */
async function writing(path: string, needed: number | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw saysDiskFull(error) ? await tooLittleRoom(path, needed, error) : error;
  }
}

function tooLittleRoom(path: string, needed: number | undefined, cause?: unknown): Promise<VmsError> {
  return diskFull(dirname(path), { needed, kept: "what has come so far is kept", cause });
}

function givenUp(error: InterruptedTransfer, attempts: number, kept: number): VmsError {
  const rest = kept === 0 ? "" : `; ${formatSize(kept)} have come and are kept`;
  return new VmsError("unreachable", `${error.message}, ${attempts} times in a row${rest}`, {
    hint: kept === 0 ? "Run it again later" : "Run it again: it goes on where it stopped",
    cause: error,
  });
}

/** Another member of the group may have begun it: its file is theirs, and only they can give it the final mode. */
async function isWritable(path: string): Promise<boolean> {
  return access(path, constants.W_OK).then(
    () => true,
    () => false,
  );
}

async function partSize(part: string): Promise<number> {
  try {
    return (await stat(part)).size;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return 0;
    throw error;
  }
}

async function readRecord(part: string): Promise<PartRecord | undefined> {
  try {
    return JSON.parse(await readFile(recordOf(part), "utf8")) as PartRecord;
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, "ENOENT")) return undefined;
    throw error;
  }
}

function recordOf(part: string): string {
  return `${part}.json`;
}
