/** Which file a path means: a store that is reached by a symbolic link or by another mount has several names for each of its files. */
import { realpath, stat } from "node:fs/promises";
import { isErrno } from "../host/errno.js";

export interface FileIdentity {
  /** As it was given. */
  readonly path: string;
  /** Without symbolic links. */
  readonly real: string;
  /** undefined: it is gone, or hidden from us. */
  readonly inode: string | undefined;
}

export async function identifyFile(path: string): Promise<FileIdentity> {
  try {
    const [real, { dev, ino }] = await Promise.all([realpath(path), stat(path)]);
    return { path, real, inode: `${dev}:${ino}` };
  } catch (error) {
    if (!isErrno(error, "ENOENT", "ENOTDIR", "EACCES")) throw error;
    return { path, real: path, inode: undefined };
  }
}

/** Two names of one file, a hard link among them. */
export async function isSameFile(path: string, other: string): Promise<boolean> {
  const [{ inode }, { inode: otherInode }] = await Promise.all([identifyFile(path), identifyFile(other)]);
  return inode !== undefined && inode === otherInode;
}

/** Whether the path is one of these files, by whatever name. Of what is gone, or cannot be asked, the names are compared. */
export async function isAnyOf(path: string, files: readonly string[]): Promise<boolean> {
  const { real, inode } = await identifyFile(path);
  const others = await Promise.all(
    files.map((file) => identifyFile(file).catch(() => ({ real: file, inode: undefined }))),
  );
  return others.some((other) => other.real === real || (inode !== undefined && other.inode === inode));
}
