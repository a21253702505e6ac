/** What is handed to the guest: the scripts of guest/ and the recipe, as a tar that the domain gets as a raw disk. */
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { VmsError } from "../errors.js";
import { run } from "../host/command.js";
import { packageFiles } from "../paths.js";
import type { Profile } from "./profile.js";

/** What the guest's scripts are told. */
export interface PayloadRecipe {
  /** A pacman server with `$repo` and `$arch` in it; undefined: the mirrors that the medium brings along. */
  readonly mirror?: string | undefined;
  /** Whose scripts are run, in this order. */
  readonly profiles: readonly Pick<Profile, "name" | "own" | "script">[];
  /** Packages beside those of the profiles. */
  readonly packages: readonly string[];
  /** The recipe's hash. */
  readonly recipe: string;
}

export interface PayloadOptions {
  /** The folder of scripts; this package's own by default. */
  readonly scripts?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Writes the tar to `file`; the same recipe and scripts make the same bytes. Its length is a multiple of 512, as a disk's
 * must be. Throws VmsError (input) where a value cannot be handed over, or CommandError.
 */
export async function writePayload(file: string, recipe: PayloadRecipe, options: PayloadOptions = {}): Promise<void> {
  const { scripts = packageFiles.guest, signal } = options;
  const conf = recipeConf(recipe);
  const folder = await mkdtemp(join(tmpdir(), "vms-payload-"));
  try {
    await writeFile(join(folder, "recipe.conf"), conf);
    // It is started by what its first line names.
    const own = recipe.profiles.find((profile) => profile.own);
    if (own !== undefined) await writeFile(join(folder, ownProfile), own.script, { mode: 0o755 });
    await run(
      [
        "tar",
        "--create",
        `--file=${file}`,
        "--format=ustar",
        "--sort=name",
        "--mtime=@0",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        // The modes of a checkout depend on the user's umask.
        "--mode=u+rwX,go+rX,go-w",
        `--directory=${scripts}`,
        ".",
        `--directory=${folder}`,
        "recipe.conf",
        ...(own === undefined ? [] : [ownProfile]),
      ],
      { signal },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The name in the payload of a script of a user's own; there is one at most. */
const ownProfile = "own-profile";

/**
 * The SHA-256 of the guest's scripts, their names and contents: another install is made where they differ. The profiles are left
 * out, for each counts only where it is installed, and so is what is written about them.
 */
export async function hashScripts(scripts: string = packageFiles.guest): Promise<string> {
  const isProfile = (path: string) => dirname(path) === join(scripts, "profiles") && path.endsWith(".sh");
  const entries = await readdir(scripts, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !isProfile(path) && !path.endsWith(".md"));
  const hash = createHash("sha256");
  for (const path of files.sort()) {
    const content = await readFile(path);
    hash.update(`${relative(scripts, path)}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** Lines of `NAME='value'` for bash. */
export function recipeConf(recipe: PayloadRecipe): string {
  const own = recipe.profiles.find((profile) => profile.own);
  const values = {
    VMS_MIRROR: recipe.mirror ?? "",
    VMS_PROFILES: recipe.profiles.map(({ name }) => (name === own?.name ? ownProfile : name)).join(" "),
    VMS_OWN_PROFILE: own?.name ?? "",
    VMS_PACKAGES: recipe.packages.join(" "),
    VMS_RECIPE: recipe.recipe,
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(name, value)}\n`)
    .join("");
}

/** Within single quotes bash takes everything as it is, but a single quote. */
function quote(name: string, value: string): string {
  if (value.includes("\0")) throw new VmsError("input", `${name} holds a NUL character, which bash cannot take`);
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
