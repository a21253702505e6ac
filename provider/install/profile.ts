/** Profiles: a script each, that sets up what a VM of it has beside the base system (docs/profiles.md says what one may assume and must do). */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { packageFiles } from "../paths.js";

/** The names of the profiles that come with this package: a profile is there when its script is. */
export function shippedProfiles(scripts: string = packageFiles.guest): string[] {
  return readdirSync(join(scripts, "profiles"))
    .flatMap((name) => /^([a-z][a-z0-9-]*)\.sh$/.exec(name)?.[1] ?? [])
    .sort();
}

/** Why a profile cannot be installed; undefined where it can. */
export function profileFailure(name: unknown, scripts: string = packageFiles.guest): string | undefined {
  const there = shippedProfiles(scripts);
  if (typeof name === "string" && there.includes(name)) return undefined;
  return `there is no profile ${JSON.stringify(name)} in this version; write one of: ${there.join(", ")}`;
}
