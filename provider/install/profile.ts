/**
 * Profiles: a script each, that sets up what a VM of it has beside the base system (docs/profiles.md says what one may assume and
 * must do). Those of this package go by their names; one of a user's own by the path of its script.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { isAbsolute, join, normalize, relative, resolve } from "node:path";
import { hasCode, toVmsError, VmsError } from "../errors.js";
import { isErrno } from "../host/errno.js";
import { packageFiles } from "../paths.js";

export interface Profile {
  /** As it is written: a name, or the path of a script. */
  readonly name: string;
  /** The script is the user's own, not one of this package. */
  readonly own: boolean;
  readonly script: Buffer;
  /** The profile whose image its image is made on. */
  readonly base: string | undefined;
}

/** The names of the profiles that come with this package: a profile is there when its script is. */
export function shippedProfiles(scripts: string = packageFiles.guest): string[] {
  return readdirSync(join(scripts, "profiles"))
    .flatMap((name) => /^([a-z][a-z0-9-]*)\.sh$/.exec(name)?.[1] ?? [])
    .sort();
}

/** Whether a profile is named by the path of a script. */
export const isOwnProfile = (name: string): boolean => name.includes("/") || name.endsWith(".sh");

/**
 * A profile's name in the form that is kept: a path inside of `directory` is told from there, so that it is the same when the whole
 * directory is somewhere else.
 */
export function normalProfile(name: string, directory: string = process.cwd()): string {
  if (!isOwnProfile(name)) return name;
  if (!isAbsolute(name)) return dotted(normalize(name));
  const inside = relative(directory, name);
  return /^\.\.(\/|$)/.test(inside) ? normalize(name) : dotted(inside);
}

const dotted = (path: string): string => (path.startsWith("../") ? path : `./${path}`);

/** A script that sets up a system is no larger: whoever writes more has taken another file by mistake. */
const largestScript = 1024 * 1024;

/**
 * The profile, and all that it is made on with the lowest first. Throws VmsError (input) where one of them cannot be installed.
 * A relative path is one from the directory that the process was started in: the program's own, or the user's.
 */
export function readProfiles(
  name: string,
  scripts: string = packageFiles.guest,
): { readonly top: Profile; readonly below: readonly Profile[] } {
  const top = readProfile(name, scripts);
  const below: Profile[] = [];
  for (let { base } = top; base !== undefined; base = below[0]?.base) {
    if ([top, ...below].some((one) => one.name === base))
      throw new VmsError("input", `${shown(name)} cannot be installed: ${base} is made on itself ("# vms-base: ")`);
    below.unshift(readBase(below[0] ?? top, base, scripts));
  }
  return { top, below };
}

function readBase(user: Profile, base: string, scripts: string): Profile {
  try {
    // A path in a script that may be anywhere would be one from nobody knows where.
    if (isOwnProfile(base)) throw new VmsError("input", `${shown(base)} is no profile of this package`);
    return readProfile(base, scripts);
  } catch (error) {
    if (!hasCode(error, "input")) throw error;
    throw new VmsError(
      "input",
      `its line "# vms-base: ${base}" in ${user.name} cannot be followed: ${toVmsError(error).reason}`,
      {
        cause: error,
      },
    );
  }
}

function readProfile(name: string, scripts: string): Profile {
  const own = isOwnProfile(name);
  const there = shippedProfiles(scripts);
  if (!own && !there.includes(name)) {
    throw new VmsError(
      "input",
      `there is no profile ${shown(name)} in this version; write one of: ${there.join(", ")}; or the path of a script of your own, such as "./my-profile.sh"`,
    );
  }
  const script = own ? readOwn(name) : readFileSync(join(scripts, "profiles", `${name}.sh`));
  return { name, own, script, base: baseOf(name, script.toString("utf8")) };
}

function readOwn(name: string): Buffer {
  const path = resolve(name);
  const refuse = (why: string, cause?: unknown): VmsError =>
    new VmsError("input", `the profile's script ${shown(path)} ${why}`, { cause });
  // eslint-disable-next-line no-control-regex -- nobody means these, and no definition can hold them
  if (/[\0-\x1f\x7f]/.test(name)) throw refuse("has a control character in its path");
  let script: Buffer;
  try {
    const found = statSync(path);
    if (!found.isFile()) throw refuse("is not a file");
    if (found.size > largestScript) throw refuse(`has ${found.size} bytes: it may have ${largestScript} at most`);
    script = readFileSync(path);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) throw refuse("does not exist", error);
    if (isErrno(error, "EACCES", "EPERM")) throw refuse("cannot be read: you may not", error);
    throw error;
  }
  if (!script.subarray(0, 2).equals(Buffer.from("#!")))
    throw refuse('does not begin with a line such as "#!/usr/bin/env bash"');
  if (!isText(script)) throw refuse("is not text");
  if (/^#!.*\r$/m.test(script.toString("utf8")))
    throw refuse("has the line ends of Windows, which its interpreter cannot take; store it with those of Unix");
  return script;
}

function isText(script: Buffer): boolean {
  try {
    return !new TextDecoder("utf-8", { fatal: true }).decode(script).includes("\0");
  } catch {
    return false;
  }
}

/** The line `# vms-base: NAME` among the comments that the script begins with. */
function baseOf(name: string, script: string): string | undefined {
  const lines = script.split("\n");
  const end = lines.findIndex((line) => !/^(#|\s*$)/.test(line));
  const header = end < 0 ? lines : lines.slice(0, end);
  const bases = header.flatMap((line) => /^#\s*vms-base:\s*(.*?)\s*$/.exec(line)?.[1] ?? []);
  const [base] = bases;
  if (bases.length > 1 || base === "" || (base !== undefined && /\s/.test(base)))
    throw new VmsError("input", `the profile ${shown(name)} must say on one line what it is made on: # vms-base: NAME`);
  return base;
}

/** Tells two scripts apart. */
export const hashOfScript = ({ script }: Pick<Profile, "script">): string =>
  createHash("sha256").update(script).digest("hex");

const shown = (value: string): string => JSON.stringify(value);
