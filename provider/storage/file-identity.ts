/** Which file a path means: a store that is reached by a symbolic link or by another mount has several names for each of its files. */
import { stat } from "node:fs/promises";
import { isErrno } from "../host/errno.js";

export interface FileIdentity {
  readonly path: string;
  /** undefined: it is gone, or hidden from us. */
  readonly inode: string | undefined;
}

export async function identifyFile(path: string): Promise<FileIdentity> {
  try {
    const { dev, ino } = await stat(path);
    return { path, inode: `${dev}:${ino}` };
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "EACCES"].some((code) => isErrno(error, code))) throw error;
    return { path, inode: undefined };
  }
}

export function isSameFile(one: FileIdentity, other: FileIdentity): boolean {
  return one.path === other.path || (one.inode !== undefined && one.inode === other.inode);
}
