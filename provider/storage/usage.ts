/** What the files that VMs share are, and how much they take up. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { cannot, hasCode } from "../errors.js";
import { isErrno } from "../host/errno.js";
import { storePaths } from "../paths.js";
import type { Settings } from "../settings.js";
import { listBases } from "./bases.js";
import { readImageRecord } from "./image-store.js";
import { imageInfo } from "./qemu-img.js";
import { unusable } from "./store.js";

export interface SharedFile {
  readonly kind: "image" | "base";
  readonly path: string;
  /** Bytes on disk. */
  readonly allocation: number;
  /** Bytes that a guest sees. */
  readonly capacity: number;
  /** The file below it. */
  readonly backing: string | undefined;
  /** Of an image: its recipe's hash. */
  readonly key: string | undefined;
  /** Of an image: the profile that is installed in it. */
  readonly profile: string | undefined;
}

/** Images, then bases. Throws VmsError, requirement or permission, where their directories are not there or not for this user. */
export async function listSharedFiles(settings: Settings): Promise<SharedFile[]> {
  const { images: imageDirectory, base: baseDirectory } = storePaths(settings);
  const images = await listImages(settings).catch(unlisted(imageDirectory));
  const paths = await listBases(settings).catch(unlisted(baseDirectory));
  const bases = paths.map((path) => ({ path, key: undefined, profile: undefined }));
  const files = [
    ...images.map((image) => ({ ...image, kind: "image" as const })),
    ...bases.map((base) => ({ ...base, kind: "base" as const })),
  ];
  const found = await Promise.all(files.map(withInfo));
  return found.filter((file) => file !== undefined);
}

type Listed = Pick<SharedFile, "kind" | "path" | "key" | "profile">;

/** undefined: somebody has removed it, meanwhile or by hand from under its record. */
async function withInfo(file: Listed): Promise<SharedFile | undefined> {
  try {
    const { allocation, capacity, backing } = await imageInfo(file.path, { shared: true });
    return { ...file, allocation, capacity, backing };
  } catch (error) {
    if (hasCode(error, "gone")) return undefined;
    throw error;
  }
}

function unlisted(directory: string): (error: unknown) => never {
  return (error) => {
    if (!isErrno(error, "ENOENT", "EACCES")) throw error;
    throw cannot("list", "images in", directory, unusable(directory, error));
  };
}

async function listImages(settings: Settings): Promise<Omit<Listed, "kind">[]> {
  const directory = storePaths(settings).images;
  const records = (await readdir(directory)).filter((name) => name.endsWith(".json"));
  const found = await Promise.all(
    records.map(async (name) => {
      const record = await readImageRecord(join(directory, name));
      return record && { path: record.path, key: name.slice(0, -".json".length), profile: record.recipe.profile };
    }),
  );
  return found.filter((image) => image !== undefined);
}
