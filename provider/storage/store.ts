/** The files of one domain: random names that are never used again, and removal that stays inside our own directories. */
import { randomBytes } from "node:crypto";
import { access, copyFile, constants, rm, chmod, open, readdir } from "node:fs/promises";
import { basename, dirname, join, normalize } from "node:path";
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

/** A VM's own UEFI variables: a copy of the firmware's empty ones, or of another VM's. */
export async function createNvram(path: string, template: string): Promise<void> {
  try {
    await copyFile(template, path, constants.COPYFILE_EXCL);
    await chmod(path, 0o660);
  } catch (error) {
    throw saysDiskFull(error) ? await diskFull(dirname(path), { cause: error }) : error;
  }
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

/** Removes files that belong to a domain, and what a log of them was rotated to. A published image stays. */
export async function removeOwnFiles(settings: Settings, paths: readonly string[]): Promise<void> {
  const published = await publishedImages(settings);
  for (const path of paths) {
    if (published.has(path) || !isOwnPlace(settings, path)) continue;
    for (const one of path.endsWith(".log") ? [path, ...(await rotations(path))] : [path])
      await rm(one, { force: true });
  }
}

/** Whether the path is directly in a directory of our store's files. */
export function isOwnPlace(settings: Settings, path: string): boolean {
  const { disk, nvram, images, log } = storePaths(settings);
  return path === normalize(path) && [disk, nvram, images, log].includes(dirname(path));
}

/** virtlogd goes on in a new file when a log has grown, and keeps the old ones as `<log>.0`, `<log>.1`, ... */
async function rotations(log: string): Promise<string[]> {
  const names = await readdir(dirname(log));
  return names
    .filter((name) => name.startsWith(`${basename(log)}.`) && /\.\d+$/.test(name))
    .map((name) => join(dirname(log), name));
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
      await access(directory, constants.X_OK | (directory === store.root ? constants.R_OK : constants.W_OK));
    } catch (error) {
      throw unusable(directory, error as NodeJS.ErrnoException);
    }
  }
}

/** A directory of the store that is not there, or not for this user, as an error with its remedy. */
export function unusable(directory: string, error: NodeJS.ErrnoException): VmsError {
  const missing = error.code === "ENOENT";
  return new VmsError(missing ? "requirement" : "permission", explain(directory, error), {
    hint: missing
      ? "Run: vms bootstrap (it makes the directories)"
      : "Run: vms bootstrap (it puts you into the libvirt group), then log in again",
    cause: error,
  });
}

function explain(directory: string, error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return `the directory ${directory} does not exist`;
  if (error.code === "EACCES") return `you have no right to use ${directory}`;
  return `the directory ${directory} cannot be used: ${error.message}`;
}
