/**
 * Whether a VM has lost its disk, and with it all that was on it. Only what is proven counts: the file is not there, in a directory
 * that can be listed, and nothing else holds what was on it. Whatever is less certain is an error that names the path.
 */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Context } from "../context.js";
import { hasCode, VmsError } from "../errors.js";
import { isErrno } from "../host/errno.js";
import { withLock } from "../host/lock.js";
import { isOff } from "../libvirt/domain.js";
import { listDiskFiles } from "../libvirt/domain-files.js";
import type { Connection } from "../libvirt/virsh.js";
import { storePaths } from "../paths.js";
import { basePathOf, findUnusedBases, storeLock } from "../storage/bases.js";
import { isSameFile } from "../storage/file-identity.js";
import { imageInfo } from "../storage/qemu-img.js";
import type { OwnDomain } from "./ownership.js";

/** Looks at the file that the first disk writes to. */
export async function hasLostDisk(connection: Connection, domain: OwnDomain, context: Context): Promise<boolean> {
  const [top] = domain.disks;
  if (top === undefined || !(await isMissing(top))) return false;
  const about = `its disk ${top} is gone`;
  if (!domain.mark.files.includes(top)) {
    throw new VmsError("gone", `${about}, which is not a file that we made; nothing was changed`, {
      hint: `Put it back, or name another one: virsh -c ${connection} edit ${domain.name}`,
    });
  }
  if (!(await isOff(connection, domain.uuid))) {
    throw new VmsError("busy", `${about}, but the VM runs and has it open still; nothing was changed`, {
      hint: "Save what is on it from inside. When the VM is off, it is lost",
    });
  }
  const left = await findLeft(domain.mark.files, top, context);
  const below = left === undefined ? await findBaseLeft(connection, domain, context) : undefined;
  if (left === undefined && below === undefined) return true;
  const what = left ?? `${below ?? ""}, a frozen disk that nobody else uses and that may be what it stood on,`;
  throw new VmsError(
    "gone",
    `${about}, but ${what} is there still, and would be lost with the VM; nothing was changed`,
    {
      hint: "Save it, then remove the VM where it was made",
    },
  );
}

/**
 * A base that would go with the VM: what was on the disk until it was frozen. Which one it was only the file that is gone said. One
 * that an interrupted freeze named is still the disk of another VM.
 */
async function findBaseLeft(
  connection: Connection,
  { mark }: OwnDomain,
  { settings, signal }: Context,
): Promise<string | undefined> {
  const find = async () => findUnusedBases(settings, (await listDiskFiles(connection)).named, mark.files);
  for (const base of await withLock(storeLock(settings), find, { signal })) {
    const disk = join(storePaths(settings).disk, basename(base));
    if (mark.files.includes(disk) || !(await isSameFile(disk, base))) return base;
  }
  return undefined;
}

/** Throws where a file is missing that a disk stands on: it may be put back, and then nothing is lost. */
export async function requireFilesBelow(top: string): Promise<void> {
  const backing = await backingOf(top);
  if (backing === undefined) return;
  if (!(await isMissing(backing))) return requireFilesBelow(backing);
  throw new VmsError("gone", `the file ${backing}, which its disk stands on, is gone; nothing was changed`, {
    hint: `Put it back: without it nobody can read ${top}`,
  });
}

/** Of a file that we may not open nothing is known, and nothing is said. */
async function backingOf(path: string): Promise<string | undefined> {
  try {
    return (await imageInfo(path, { shared: true })).backing;
  } catch (error) {
    if (hasCode(error, "permission")) return undefined;
    throw error;
  }
}

/** Another disk of the VM, or the second name that an interrupted freeze gave to this one. Of a base's old name the base is asked. */
async function findLeft(files: readonly string[], top: string, { settings }: Context): Promise<string | undefined> {
  for (const file of files.filter((path) => path.endsWith(".qcow2") && path !== top)) {
    const base = basePathOf(settings, file);
    if (!(await isMissing(file)) && (base === file || !(await isSameFile(file, base)))) return file;
  }
  const second = basePathOf(settings, top);
  return (await isMissing(second)) ? undefined : second;
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await stat(path);
    return false;
  } catch (error) {
    try {
      // A link that leads nowhere is listed: what it leads to may come back.
      if (isErrno(error, "ENOENT") && !(await readdir(dirname(path))).includes(basename(path))) return true;
    } catch (unlisted) {
      throw unknown(path, unlisted);
    }
    throw unknown(path, error);
  }
}

function unknown(path: string, error: unknown): VmsError {
  const code = isErrno(error, "EACCES", "EPERM") ? "permission" : "command";
  const reason = error instanceof Error ? error.message : String(error);
  return new VmsError(code, `it cannot be told whether its disk ${path} is there: ${reason}; nothing was changed`, {
    hint: "Make the directory readable (is it mounted?), then try again",
    cause: error,
  });
}
