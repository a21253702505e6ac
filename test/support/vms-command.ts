/** This checkout's command line on a store of its own, as a user would call it. */
import { join } from "node:path";
import { attempt, type RunResult } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";
import type { Settings } from "../../provider/settings.js";

export const vmsProgram = join(packageFiles.root, "dist", "cli", "main.js");

/** What makes the command line use that store. */
export const environmentOf = (settings: Settings): Record<string, string> => ({
  VMS_IMAGES: settings.images,
  VMS_ISO: settings.iso,
  VMS_FILESYSTEMS: settings.filesystems,
  VMS_PKG_CACHE: settings.pkgCache,
});

export type Vms = (...args: string[]) => Promise<RunResult>;

/** `more` is added to the environment; undefined takes a variable out of it. */
export function vmsOn(settings: Settings, more: Record<string, string | undefined> = {}): Vms {
  return (...args) =>
    attempt([process.execPath, vmsProgram, ...args], { env: { ...environmentOf(settings), ...more }, timeout: 0 });
}
