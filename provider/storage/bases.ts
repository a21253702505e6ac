/**
 * Bases: frozen disks that others stand on. A frozen disk gets a second name in `base/` before anything refers to it there, and
 * loses its name in `disk/` when nothing does any more: at no time is a file that is in use without its name.
 *
 * Who uses a base is read off the headers each time, never counted. In doubt a base is kept.
 */
import { chmod, link, readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasCode, VmsError } from "../errors.js";
import { isErrno } from "../host/errno.js";
import { storePaths } from "../paths.js";
import type { Settings } from "../settings.js";
import { type FileIdentity, identifyFile, isSameFile } from "./file-identity.js";
import { imageInfo } from "./qemu-img.js";

/** Held for as long as files are made that nothing refers to yet, and while unused ones are looked for. */
export function storeLock(settings: Settings): string {
  return join(storePaths(settings).lock, "store");
}

/** The name that a disk of ours bears once it is frozen; a disk that is not in our store stays where it is. */
export function basePathOf(settings: Settings, disk: string): string {
  const { disk: directory, base } = storePaths(settings);
  return dirname(disk) === directory ? join(base, basename(disk)) : disk;
}

/** Gives a disk its second name. The caller holds the lock of the store. */
export async function nameBase(disk: string, base: string): Promise<void> {
  if (disk === base) return;
  try {
    await link(disk, base);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
    // An interrupted freeze of this very disk has done it.
    if (!(await isSameFile(disk, base)))
      throw new VmsError("foreign", `there is another file at ${base} already`, { cause: error });
  }
}

/** Takes the write bits away, where the file is there and ours to change: another member of the group may have made it. */
export async function protectBase(base: string): Promise<void> {
  try {
    await chmod(base, 0o440);
  } catch (error) {
    if (!isErrno(error, "EPERM", "ENOENT")) throw error;
  }
}

/** What has another name is still somebody's disk: that of a user who gave it one in our directory. */
async function unprotect(base: string): Promise<void> {
  try {
    if ((await stat(base)).nlink > 1) await chmod(base, 0o660);
  } catch (error) {
    if (!isErrno(error, "EPERM", "ENOENT")) throw error;
  }
}

export function isBase(settings: Settings, path: string): boolean {
  return dirname(path) === storePaths(settings).base;
}

/** The bases there are. */
export async function listBases(settings: Settings): Promise<string[]> {
  const { base } = storePaths(settings);
  return listFiles(base);
}

/**
 * Removes the bases that `findUnusedBases` finds; none where a disk that is `expected` is missing and not among `removed`: a base may
 * hold all that is left of its data. The caller holds the lock of the store.
 */
export async function removeUnusedBases(
  settings: Settings,
  { named, expected }: { readonly named: ReadonlySet<string>; readonly expected: ReadonlySet<string> },
  removed: readonly string[] = [],
): Promise<string[]> {
  if (await missesDisk(settings, expected, removed)) return [];
  const unused = await findUnusedBases(settings, named, removed);
  for (const path of unused) {
    await unprotect(path);
    await rm(path, { force: true });
  }
  return unused;
}

/**
 * The bases that no disk stands on, and those that only they stand on, the upper ones first. `named` are all files that a domain names,
 * `removed` those of them that are about to go. Throws where a header cannot be read.
 */
export async function findUnusedBases(
  settings: Settings,
  named: ReadonlySet<string>,
  removed: readonly string[] = [],
): Promise<string[]> {
  const bases = await Promise.all((await listBases(settings)).map(identifyFile));
  if (bases.length === 0) return [];
  const disks = await listFiles(storePaths(settings).disk);
  const backings = await readBackings(settings, [...disks, ...bases.map(({ path }) => path), ...named]);
  const domains = await Promise.all([...named].filter((path) => !removed.includes(path)).map(identifyFile));
  const unused: string[] = [];
  for (;;) {
    const standing = [...backings].filter(([path]) => !unused.includes(path)).map(([, backing]) => backing);
    const inUse = (base: FileIdentity): boolean =>
      domains.some((one) => isNamed(settings, one, base)) || standing.some((backing) => mayBe(backing, base));
    const next = bases.find((base) => !unused.includes(base.path) && !inUse(base));
    if (next === undefined) break;
    // A base that stands on another one keeps it until it is gone itself.
    unused.push(next.path);
  }
  return unused;
}

async function missesDisk(
  settings: Settings,
  expected: ReadonlySet<string>,
  removed: readonly string[],
): Promise<boolean> {
  const { disk } = storePaths(settings);
  const there = new Set([...(await listFiles(disk)), ...(await listBases(settings))]);
  return [...expected].some(
    (path) =>
      dirname(path) === disk && !there.has(path) && !there.has(basePathOf(settings, path)) && !removed.includes(path),
  );
}

/** A domain that has run on since a freeze names the base as the disk that it was. */
function isNamed(settings: Settings, { path, real, inode }: FileIdentity, base: FileIdentity): boolean {
  return real === base.real || (inode === undefined && basePathOf(settings, path) === base.path);
}

/** Whatever their names end in: a user may have put a file of their own there. */
async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => join(directory, name));
}

/** What is no path, such as qemu's json: form, may be any file whose name is in it. */
function mayBe({ path, real, inode }: FileIdentity, base: FileIdentity): boolean {
  if (!path.startsWith("/")) return path.includes(basename(base.path));
  return real === base.real || (inode !== undefined && inode === base.inode);
}

/** Each file and the one that its header names, and so on down. What is gone stands on nothing. */
async function readBackings(settings: Settings, paths: readonly string[]): Promise<Map<string, FileIdentity>> {
  const backings = new Map<string, FileIdentity>();
  const waiting = [...paths];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (backings.has(path) || !path.startsWith("/")) continue;
    const backing = await backingOf(settings, path);
    if (backing === undefined) continue;
    backings.set(path, await identifyFile(backing));
    waiting.push(backing);
  }
  return backings;
}

async function backingOf(settings: Settings, path: string): Promise<string | undefined> {
  try {
    return (await imageInfo(path, { shared: true })).backing;
  } catch (error) {
    if (hasCode(error, "gone")) return undefined;
    // Of a disk of somebody else's, which we may not look into, what its domain says is all there is.
    if (hasCode(error, "permission") && !path.startsWith(`${storePaths(settings).root}/`)) return undefined;
    throw error;
  }
}
