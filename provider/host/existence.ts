/** Whether there is something at a path; links are followed. */
import { access, stat } from "node:fs/promises";
import { isErrno } from "./errno.js";

/** Throws where it cannot be told. */
export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

/** What we may not look at counts as not there. */
export async function isVisible(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
