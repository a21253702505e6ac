/** The files of one domain: random names that are never used again, and removal that stays inside our own directories. */
import { randomBytes } from "node:crypto";
import { copyFile, constants, rm, chmod, open, readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { VmsError } from "../errors.js";
import { diskFull, saysDiskFull } from "./disk-space.js";
import { readImageRecord } from "./image-store.js";
import { storePaths } from "../paths.js";
import type { Settings } from "../settings.js";

export function newDiskPath(settings: Settings): string {
  return join(storePaths(settings).disk, `${randomName()}.qcow2`);
}

export function newImagePath(settings: Settings): string {
  return join(storePaths(settings).images, `${randomName()}.qcow2`);
}

export function newPayloadPath(settings: Settings): string {
  return join(storePaths(settings).disk, `${randomName()}.tar`);
}

export function newMediumPath(settings: Settings): string {
  return join(storePaths(settings).disk, `${randomName()}.iso`);
}

export function newNvramPath(settings: Settings): string {
  return join(storePaths(settings).nvram, `${randomName()}.fd`);
}

export function consoleLogPath(settings: Settings, name: string): string {
  return join(storePaths(settings).log, `${name}.log`);
}

const randomName = (): string => randomBytes(8).toString("hex");

/** A VM's own UEFI variables, a copy of the firmware's empty ones. */
export async function createNvram(path: string, template: string): Promise<void> {
  await copyFile(template, path, constants.COPYFILE_EXCL);
  await chmod(path, 0o660);
}

/** A medium that qemu may read wherever it came from: in a user's home qemu cannot get at it. Shares blocks where the file system can. */
export async function copyMedium(source: string, target: string): Promise<void> {
  try {
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(target, 0o440);
  } catch (error) {
    throw saysDiskFull(error) ? await diskFull(dirname(target), { cause: error }) : error;
  }
}

/** libvirt appends to a log that exists and leaves its mode alone; one that it makes could be read by root only. */
export async function createConsoleLog(path: string): Promise<void> {
  const file = await open(path, "w", 0o660);
  await file.close();
}

/**
 * Removes files that belong to a domain. A published image stays; so does what lies outside of our directories, and is returned
 * where it exists.
 */
export async function removeOwnFiles(settings: Settings, paths: readonly string[]): Promise<string[]> {
  const store = storePaths(settings);
  const own = [store.disk, store.nvram, store.images, store.log];
  const published = await publishedImages(settings);
  const left: string[] = [];
  for (const path of paths) {
    if (published.has(path)) continue;
    if (path === normalize(path) && own.includes(dirname(path))) await rm(path, { force: true });
    else if (existsSync(path)) left.push(path);
  }
  return left;
}

/** Paths of the images that a JSON beside them vouches for. */
async function publishedImages(settings: Settings): Promise<Set<string>> {
  const directory = storePaths(settings).images;
  const records = (await readdir(directory)).filter((name) => name.endsWith(".json"));
  const images = await Promise.all(records.map((name) => readImageRecord(join(directory, name))));
  return new Set(images.flatMap((image) => image?.path ?? []));
}

/** Throws where the directories are not there or not ours to write: bootstrap makes them. */
export async function checkStore(settings: Settings): Promise<void> {
  const store = storePaths(settings);
  for (const directory of Object.values(store)) {
    try {
      const probe = join(directory, `.probe-${randomName()}`);
      if (directory === store.root) await readdir(directory);
      else await open(probe, "wx").then((file) => file.close());
      await rm(probe, { force: true });
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      throw new VmsError(missing ? "requirement" : "permission", explain(directory, error as NodeJS.ErrnoException), {
        hint: missing
          ? "Run: vms bootstrap (it makes the directories)"
          : "Run: vms bootstrap (it puts you into the libvirt group), then log in again",
        cause: error,
      });
    }
  }
}

function explain(directory: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `the directory ${directory} does not exist`;
  if (error.code === "EACCES") return `you may not write to ${directory}`;
  return `the directory ${directory} cannot be used: ${error.message}`;
}
