/**
 * What is known about ISO files, so that none is read twice: `index.json` in the ISO directory. An entry counts only while
 * the file's size, time of change and inode are those it had when it was read. Losing the index costs time, nothing else.
 */
import { type FileHandle, chmod, mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { withLock } from "../host/lock.js";
import { replaceFile } from "./replace-file.js";
import { isErrno } from "../host/errno.js";
import { exists } from "../host/existence.js";

export interface KnownIso {
  readonly sha256: string;
  /** Fingerprint of the key whose signature was verified over this file. */
  readonly signer?: string;
}

/** Tells one state of a file from another. Strings, for numbers that JSON would round. */
export interface FileState {
  readonly size: string;
  readonly mtime: string;
  readonly inode: string;
  /** When the file was made; "0" where the file system does not know. An inode's number is used again, this is not. */
  readonly birth: string;
}

interface Index {
  readonly files: Record<string, FileState & KnownIso>;
  /** The path of what a URL without a checksum was found to be. */
  readonly urls: Record<string, string>;
}

/** Of a path, or of an open file. */
export async function fileState(file: string | FileHandle): Promise<FileState> {
  const options = { bigint: true } as const;
  const { size, mtimeNs, ino, birthtimeNs } =
    typeof file === "string" ? await stat(file, options) : await file.stat(options);
  return { size: String(size), mtime: String(mtimeNs), inode: String(ino), birth: String(birthtimeNs) };
}

/** What was found out about the file as it is now; undefined where it has changed, is gone or was never read. */
export async function recallIso(context: Context, path: string): Promise<KnownIso | undefined> {
  const entry = (await readIndex(context)).files[path];
  if (entry === undefined || !(await exists(path))) return undefined;
  const now = await fileState(path);
  return entry.size === now.size && entry.mtime === now.mtime && entry.inode === now.inode ? entry : undefined;
}

/** Whether this very file, whatever is in it now, was once verified: then it is ours and not one that a user put there. */
export async function wasVerified(context: Context, path: string): Promise<boolean> {
  const entry = (await readIndex(context)).files[path];
  const { inode, birth } = await fileState(path);
  return entry?.signer !== undefined && entry.inode === inode && entry.birth === birth && birth !== "0";
}

/** The file that a URL without a checksum was fetched into. */
export async function recallUrl(context: Context, url: string): Promise<string | undefined> {
  return (await readIndex(context)).urls[url];
}

/** `state` is the file's from before it was read: a change in between then shows. */
export async function rememberIso(context: Context, path: string, state: FileState, known: KnownIso): Promise<void> {
  await changeIndex(context, ({ files }) => (files[path] = { ...state, ...known }));
}

/** What `recallUrl` will find. */
export async function rememberUrl(context: Context, url: string, path: string): Promise<void> {
  await changeIndex(context, ({ urls }) => (urls[url] = path));
}

/**
 * The ISO directory, or one in it: made where it is not there, and open to whom the directory above is open to, whatever the
 * umask is. Throws VmsError (permission) where it can neither be found nor made.
 */
export async function makeIsoDirectory(context: Context, ...below: string[]): Promise<string> {
  const path = join(context.settings.iso, ...below);
  try {
    const made = await mkdir(path, { recursive: true });
    if (made !== undefined) await chmod(path, below.length === 0 ? 0o755 : (await stat(context.settings.iso)).mode);
    return path;
  } catch (error) {
    throw new VmsError("permission", `the directory ${path} cannot be made: ${String(error)}`, {
      hint: "Run: vms bootstrap",
      cause: error,
    });
  }
}

function indexFile(context: Context): string {
  return join(context.settings.iso, "index.json");
}

async function changeIndex(context: Context, change: (index: Index) => void): Promise<void> {
  const file = indexFile(context);
  await withLock(`${file}.lock`, async () => {
    const index = await readIndex(context);
    change(index);
    await replaceFile(file, `${JSON.stringify(index, undefined, 2)}\n`, 0o664);
  });
}

async function readIndex(context: Context): Promise<Index> {
  const empty: Index = { files: {}, urls: {} };
  try {
    return { ...empty, ...(JSON.parse(await readFile(indexFile(context), "utf8")) as Partial<Index>) };
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, "ENOENT")) return empty;
    throw error;
  }
}
