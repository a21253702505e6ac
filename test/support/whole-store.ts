/** What must be true of a store when nothing works on it: every file belongs to somebody, and everybody has their files. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { tryLock } from "../../provider/host/lock.js";
import { type Domain, isOff, listDomains } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { checkImage, imageInfo } from "../../provider/storage/qemu-img.js";
import type { Settings } from "../../provider/settings.js";
import { connection } from "./store.js";

/** Every domain that has a file in this store. */
export async function storeDomains(settings: Settings): Promise<Domain[]> {
  const { root } = storePaths(settings);
  return (await listDomains(connection)).filter(({ disks, mark }) =>
    [...disks, ...(mark?.files ?? [])].some((path) => path.startsWith(`${root}/`)),
  );
}

/** Asserts that these VMs are ready and whole, and that there is nothing else: no domain, no file, no lock. */
export async function assertWhole(settings: Settings, names: readonly string[]): Promise<void> {
  const { disk, base, images, nvram, lock, log } = storePaths(settings);
  const domains = await storeDomains(settings);
  assert.deepEqual(domains.map(({ name }) => name).sort(), [...names].sort(), "the domains");
  const own = domains.flatMap((domain) => ownFiles(domain));
  assert.deepEqual(filesIn(disk, nvram, log), [...own].sort(), "the files that are there and those that a VM has");
  const chains = await Promise.all(domains.map(async ({ disks }) => chainOf(disks[0] ?? "")));
  const bases = new Set(chains.flat().filter((path) => path.startsWith(`${base}/`)));
  assert.deepEqual(filesIn(base), [...bases].sort(), "the bases that are there and those that a VM stands on");
  assert.deepEqual(
    filesIn(images).filter((path) => !/\.(json|qcow2)$/.test(path)),
    [],
  );
  assert.equal(filesIn(images).length % 2, 0, "an image has a record, and a record an image");
  // Who was killed leaves the file of a lock, but not the lock: the next to want it takes the file over.
  for (const path of filesIn(lock)) await releaseLock(path);
  const runs = (
    await Promise.all(domains.map(async ({ uuid, disks }) => ((await isOff(connection, uuid)) ? [] : disks)))
  ).flat();
  // What a VM writes just now cannot be checked; what it stands on can.
  for (const path of new Set(chains.flat())) if (!runs.includes(path)) await checkImage(path);
}

/**
 * Asserts that what says it is ready has all that it needs, and that each file is somebody's, whatever an interruption has left. A
 * mark may list more: a file is announced before it is made.
 */
export async function assertHonest(settings: Settings): Promise<void> {
  const domains = await storeDomains(settings);
  const announced = new Set(domains.flatMap(({ mark }) => mark?.files ?? []));
  const paths = storePaths(settings);
  const orphans = filesIn(paths.disk, paths.nvram).filter((path) => !announced.has(path));
  assert.deepEqual(orphans, [], "files that no VM knows");
  for (const { name, mark, disks, nvram } of domains) {
    if (mark?.phase !== "ready") continue;
    for (const disk of disks) await chainOf(disk);
    assert.ok(nvram !== undefined && existsSync(nvram), `${name} is ready, and its NVRAM is gone`);
  }
}

/** Asserts that the mark lists what the definition uses and nothing twice, and returns the list. */
function ownFiles({ name, mark, disks, nvram }: Domain): readonly string[] {
  assert.equal(mark?.phase, "ready", name);
  for (const path of [...disks, ...(nvram === undefined ? [] : [nvram])])
    assert.ok(mark.files.includes(path), `${name}: ${path}`);
  assert.equal(new Set(mark.files).size, mark.files.length, `${name}: a file is listed twice`);
  return mark.files;
}

/** A disk and all that it stands on. */
async function chainOf(path: string): Promise<string[]> {
  assert.ok(existsSync(path), `${path} is gone`);
  const { backing } = await imageInfo(path, { shared: true });
  return [path, ...(backing === undefined ? [] : await chainOf(backing))];
}

async function releaseLock(path: string): Promise<void> {
  const lock = await tryLock(path);
  assert.ok(lock, `${path} is held`);
  await lock.release();
}

function filesIn(...directories: readonly string[]): string[] {
  return directories.flatMap((directory) => readdirSync(directory).map((name) => join(directory, name))).sort();
}
