/**
 * Locks that end with the process: flock(2) through a descriptor of ours. The lock belongs to the open file description, so
 * `flock` (util-linux) takes it on a descriptor that it inherits and leaves it with us when it ends; the kernel lets go of it
 * when we close the file or die. Who lets go removes the file; who gets the lock of a file that was removed takes the next one.
 */
import { open, rm, stat, type FileHandle } from "node:fs/promises";
import { VmsError } from "../errors.js";
import { attempt } from "./command.js";

export interface Lock {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when the lock is held by somebody else and we begin to wait. */
  readonly onWait?: (() => void) | undefined;
}

/** Takes the lock where it is free; undefined where somebody holds it. */
export async function tryLock(path: string): Promise<Lock | undefined> {
  for (;;) {
    const file = await openLockFile(path);
    if (!(await flock(file, ["--exclusive", "--nonblock"]))) return undefined;
    if (await isAt(path, file)) return held(path, file);
    await file.close();
  }
}

/** Waits for the lock as long as it takes. */
export async function lock(path: string, options: LockOptions = {}): Promise<Lock> {
  const free = await tryLock(path);
  if (free !== undefined) return free;
  options.onWait?.();
  for (;;) {
    const file = await openLockFile(path);
    if (!(await flock(file, ["--exclusive"], options.signal)))
      throw new VmsError("busy", `the lock ${path} could not be taken`);
    if (await isAt(path, file)) return held(path, file);
    await file.close();
  }
}

/** Runs `work` under the lock. */
export async function withLock<T>(path: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  const taken = await lock(path, options);
  try {
    return await work();
  } finally {
    await taken.release();
  }
}

async function openLockFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "a", 0o660);
  } catch (error) {
    throw new VmsError("permission", `the lock file ${path} cannot be opened: ${(error as Error).message}`, {
      hint: "Run: vms bootstrap",
      cause: error,
    });
  }
}

async function flock(file: FileHandle, flags: readonly string[], signal?: AbortSignal): Promise<boolean> {
  try {
    const { status } = await attempt(["flock", ...flags, "3"], { descriptors: [file.fd], timeout: 0, signal });
    if (status === 0) return true;
    await file.close();
    return false;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Whether the open file is the one of that name still. */
async function isAt(path: string, file: FileHandle): Promise<boolean> {
  try {
    const [named, opened] = [await stat(path), await file.stat()];
    return named.ino === opened.ino && named.dev === opened.dev;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function held(path: string, file: FileHandle): Lock {
  return {
    release: async () => {
      try {
        await rm(path, { force: true });
      } finally {
        await file.close();
      }
    },
  };
}
