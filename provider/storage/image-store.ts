/**
 * Golden images: `<recipe hash>.json` names the qcow2 beside it. The JSON appears by a rename when the qcow2 is whole and has
 * no write bits, so an image that has a JSON is complete; it is never written again.
 */
import { access, chmod, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hasCode } from "../errors.js";
import { isErrno } from "../host/errno.js";
import { storePaths } from "../paths.js";
import type { Settings } from "../settings.js";
import { backingChain } from "./chain.js";

/** What an image is made from: whatever is not in it cannot be told apart by it. */
export interface Recipe {
  /** SHA-256 of the ISO. */
  readonly iso: string;
  readonly mirror: string;
  readonly profile: string;
  readonly packages: readonly string[];
  /** Hash of the scripts that every install runs in the guest. */
  readonly guest: string;
  /** Hash of the profile's own script. Not in the records of earlier versions. */
  readonly script?: string;
  /** Of an image that is made on another one: that one's key. */
  readonly base?: string;
  /** In bytes. */
  readonly capacity: number;
}

export interface Image {
  /** The recipe's hash. */
  readonly key: string;
  readonly path: string;
}

/** What the record of an image says. */
export interface Recorded {
  readonly path: string;
  readonly recipe: Partial<Recipe>;
}

interface ImageRecord {
  readonly schema: 1;
  readonly file: string;
  readonly recipe: Recipe;
  /** ISO 8601. */
  readonly made: string;
}

export function isImage(settings: Settings, path: string): boolean {
  return dirname(path) === storePaths(settings).images;
}

/** undefined: there is no such image, or only a record whose disk, or a file that it stands on, is gone. */
export async function findImage(settings: Settings, key: string): Promise<Image | undefined> {
  const found = await readImageRecord(recordPath(settings, key));
  if (found === undefined) return undefined;
  try {
    if (found.recipe.base === undefined) await access(found.path);
    else await backingChain(found.path);
  } catch (error) {
    if (isErrno(error, "ENOENT") || hasCode(error, "gone")) return undefined;
    throw error;
  }
  return { key, path: found.path };
}

/** Where the disk of a record is; undefined where there is no record, or none that can be understood. */
export async function readImageRecord(path: string): Promise<Recorded | undefined> {
  try {
    const { file, recipe = {} } = JSON.parse(await readFile(path, "utf8")) as Partial<ImageRecord>;
    return typeof file === "string" && file === basename(file)
      ? { path: join(dirname(path), file), recipe }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Takes the disk's write bits away and makes it the recipe's image, at once and durably. */
export async function publishImage(settings: Settings, key: string, recipe: Recipe, disk: string): Promise<Image> {
  await chmod(disk, 0o440);
  const record: ImageRecord = { schema: 1, file: basename(disk), recipe, made: new Date().toISOString() };
  const target = recordPath(settings, key);
  const part = `${target}.part`;
  await rm(part, { force: true });
  const file = await open(part, "wx", 0o440);
  try {
    await file.writeFile(`${JSON.stringify(record, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, target);
  return { key, path: disk };
}

function recordPath(settings: Settings, key: string): string {
  return join(storePaths(settings).images, `${key}.json`);
}
