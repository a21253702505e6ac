/** Room on the host's disks: how much there is, and the one error for too little of it. */
import { statfs } from "node:fs/promises";
import { VmsError } from "../errors.js";
import { formatSize } from "./size.js";

/** Bytes that this process may still write below `directory`; root may use what is reserved for it. */
export async function freeSpace(directory: string): Promise<number> {
  const { bsize, bavail, bfree } = await statfs(directory);
  return bsize * (process.getuid?.() === 0 ? bfree : bavail);
}

/** The error for a full disk. `needed` is in bytes, where it is known; `kept` says what becomes of what is there. */
export async function diskFull(
  directory: string,
  options: { needed?: number | undefined; kept?: string | undefined; cause?: unknown } = {},
): Promise<VmsError> {
  const needed = options.needed === undefined ? "" : `, ${formatSize(options.needed)} needed`;
  const kept = options.kept === undefined ? "" : `; ${options.kept}`;
  return new VmsError(
    "requirement",
    `no space left in ${directory}: ${formatSize(await freeSpace(directory))} free${needed}${kept}`,
    {
      hint: `Make room there (df -h ${directory}), and run it again`,
      cause: options.cause,
    },
  );
}

/** Whether a system call failed, or a program said, that the disk or the quota is full. */
export function saysDiskFull(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" || /No space left on device|Disk quota exceeded/.test(error.message);
}
