/**
 * Pulumi's file backend locks a stack by a file, which stays when the CLI is killed. Where that CLI ran on this host and is
 * no more, the lock guards nothing: it is removed, so that the next run goes on.
 */
import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

/** Removes what dead CLIs left in this backend directory; returns their process ids. */
export async function removeDeadLocks(state: string): Promise<number[]> {
  const dead: number[] = [];
  for (const path of await lockFiles(join(state, ".pulumi", "locks"))) {
    const pid = await holderOf(path);
    if (pid === undefined || (await isPulumi(pid))) continue;
    await rm(path, { force: true });
    dead.push(pid);
  }
  return dead;
}

async function lockFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** undefined: not of this host, or let go of meanwhile. */
async function holderOf(path: string): Promise<number | undefined> {
  const text = await readOptional(path);
  if (text === undefined) return undefined;
  const { pid, hostname: host } = JSON.parse(text) as { pid?: unknown; hostname?: unknown };
  return typeof pid === "number" && host === hostname() ? pid : undefined;
}

/** A process id is used again: the name tells whether it is still a pulumi. */
async function isPulumi(pid: number): Promise<boolean> {
  return (await readOptional(`/proc/${pid}/comm`))?.trim() === "pulumi";
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    // ESRCH: the process ended while it was looked at.
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}
