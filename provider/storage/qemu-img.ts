/**
 * Disk images, by qemu-img. Paths are absolute, so that none is taken for a protocol ("nbd:..."). Formats are always
 * said where something is opened to be used: a guest can write a header into a disk, and probing would believe it.
 *
 * Every function throws VmsError: gone (no such file), foreign (the new file's name is taken), busy (a running VM has it
 * open), permission, requirement (disk full, no qemu-img), checksum (damaged), command (whatever else qemu-img says).
 */
import { access, constants, open, rm } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import type { Context } from "../context.js";
import { CommandError, VmsError, cannot, toVmsError } from "../errors.js";
import { attempt, run } from "../host/command.js";
import type { RunOptions } from "../host/command.js";
import { diskFull, saysDiskFull } from "./disk-space.js";

/** Sizes in bytes: `capacity` is what the guest sees, `allocation` what the file takes up. `backing` is a path. */
export interface ImageInfo {
  path: string;
  capacity: number;
  allocation: number;
  format: string;
  backing?: string;
}

/** What the header says; `shared` reads it while a VM has the image open. The backing file itself need not be there. */
export async function imageInfo(path: string, options: { shared?: boolean } = {}): Promise<ImageInfo> {
  const flags = options.shared === true ? ["--force-share"] : [];
  return explain("read", path, async () => {
    const { stdout } = await run(["qemu-img", "info", ...flags, "--output=json", absolute(path)]);
    return parseInfo(path, stdout);
  });
}

/** An empty qcow2, mode 0660. Refuses a name that is taken. */
export async function createDisk(path: string, capacityBytes: number): Promise<void> {
  await intoNewFile("create", path, async () => {
    await run(["qemu-img", "create", "-q", "-f", "qcow2", absolute(path), String(capacityBytes)]);
  });
}

/** A thin qcow2 over the qcow2 `backing`, as large as it or `capacityBytes`; mode 0660. Refuses a name that is taken. */
export async function createOverlay(path: string, backing: string, capacityBytes?: number): Promise<void> {
  const capacity = capacityBytes === undefined ? [] : [String(capacityBytes)];
  await intoNewFile("create", path, async () => {
    await mustExist("backing file", backing);
    const chain = ["-F", "qcow2", "-b", absolute(backing)];
    await run(["qemu-img", "create", "-q", "-f", "qcow2", ...chain, absolute(path), ...capacity]);
  });
}

/** Gives a qcow2 that nobody has open a larger capacity; never a smaller one. */
export async function resizeDisk(path: string, capacityBytes: number): Promise<void> {
  await explain("resize", path, async () => {
    await run(["qemu-img", "resize", "-q", "-f", "qcow2", absolute(path), String(capacityBytes)]);
  });
}

/**
 * Puts a qcow2 that nobody has open onto another file below it, and copies into it what it would lose. Interrupted, it reads the same
 * as before: the header changes last.
 */
export async function rebaseDisk(path: string, backing: string, context: Context): Promise<void> {
  await explain("shorten", path, async () => {
    const options: RunOptions = { timeout: 0, signal: context.signal, onLine: tellPercent("copying", context) };
    const argv = ["qemu-img", "rebase", "-p", "-f", "qcow2", "-F", "qcow2", "-b", absolute(backing), absolute(path)];
    await run(argv as [string, ...string[]], options);
  });
}

/**
 * Copies what `source` holds into a new qcow2, on disk when this returns: with all that is below it, or, where `backing` is the file
 * that it stands on, only what it has otherwise, onto the same file.
 */
export async function convertImage(source: string, target: string, context: Context, backing?: string): Promise<void> {
  await intoNewFile("write", target, async () => {
    await mustExist("source", source);
    const options: RunOptions = {
      timeout: 0,
      signal: context.signal,
      onLine: tellPercent("copying the disk", context),
    };
    const chain = backing === undefined ? [] : ["-B", absolute(backing), "-F", "qcow2"];
    const files = [absolute(source), absolute(target)];
    await run(["qemu-img", "convert", "-p", "-f", "qcow2", "-O", "qcow2", ...chain, ...files], options);
    await syncFile(target);
  });
}

/** For what `qemu-img -p` prints. */
function tellPercent(what: string, context: Context): (line: string) => void {
  return (line) => {
    const percent = /\((\d+)\.\d+\/100%\)/.exec(line)?.[1];
    if (percent !== undefined) context.progress.detail(`${what}, ${percent}%`);
  };
}

/** Throws VmsError (checksum) where the qcow2 is damaged. Clusters that are merely leaked are no damage. */
export async function checkImage(path: string): Promise<void> {
  await explain("check", path, async () => {
    const argv = ["qemu-img", "check", "-f", "qcow2", "--output=json", absolute(path)] as const;
    const result = await attempt(argv, { timeout: 0 });
    const corruptions = result.status === 2 ? countCorruptions(result.stdout) : 0;
    if (corruptions > 0) {
      throw new VmsError("checksum", `it is damaged: qemu-img found ${corruptions} corruptions in it`, {
        hint: `See: qemu-img check ${path}`,
      });
    }
    const harmless = result.status === 0 || result.status === 3;
    if (!harmless) throw new CommandError(argv, result.status, result.stderr === "" ? result.stdout : result.stderr);
  });
}

/** Takes the name first, so that two makers cannot both have it and nothing is ever overwritten; a failure gives it back. */
async function intoNewFile(verb: string, path: string, work: () => Promise<void>): Promise<void> {
  await explain(verb, path, async () => {
    const file = await open(absolute(path), "wx", 0o660);
    try {
      await file.chmod(0o660);
      await file.close();
      await work();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  });
}

async function explain<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw cannot(verb, "disk image", path, await reasonOf(error, path));
  }
}

async function reasonOf(error: unknown, path: string): Promise<VmsError> {
  if (saysDiskFull(error)) return diskFull(dirname(path), { cause: error });
  const { message } = toVmsError(error);
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EEXIST") return new VmsError("foreign", "there is a file of that name already", { cause: error });
  if (code === "ENOENT" || /No such file or directory/.test(message)) {
    return new VmsError("gone", "there is no such file or directory", { cause: error });
  }
  if (code === "EACCES" || /Permission denied/.test(message)) {
    const hint = "Run: vms bootstrap, and log in again to be in the libvirt group";
    return new VmsError("permission", "you may not open it", { hint, cause: error });
  }
  if (/Failed to get .* lock/.test(message)) {
    return new VmsError("busy", "a running VM or another program has it open", {
      hint: "Stop the VM first",
      cause: error,
    });
  }
  return toVmsError(error);
}

async function mustExist(what: string, path: string): Promise<void> {
  try {
    await access(absolute(path), constants.R_OK);
  } catch (error) {
    const { code, reason, hint } = await reasonOf(error, path);
    throw new VmsError(code, `its ${what} ${path}: ${reason}`, { hint, cause: error });
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function absolute(path: string): string {
  if (!isAbsolute(path)) throw new VmsError("input", "its path must be absolute");
  return path;
}

function parseInfo(path: string, json: string): ImageInfo {
  const info = JSON.parse(json) as Record<string, unknown>;
  const { "virtual-size": capacity, "actual-size": allocation, format } = info;
  const backing = info["full-backing-filename"] ?? info["backing-filename"];
  if (typeof capacity !== "number" || typeof allocation !== "number" || typeof format !== "string") {
    throw new VmsError("command", `qemu-img info said something that is not understood: ${json}`);
  }
  return { path, capacity, allocation, format, ...(typeof backing === "string" ? { backing } : {}) };
}

function countCorruptions(json: string): number {
  const { corruptions } = JSON.parse(json) as { corruptions?: unknown };
  return typeof corruptions === "number" ? corruptions : 0;
}
