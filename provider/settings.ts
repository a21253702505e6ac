/**
 * Where things are kept and what is taken where nothing is said. A setting is found in this order: argument, Pulumi config
 * (namespace `vms`), environment, `vms.conf`, default.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { VmsError } from "./errors.js";

/** Absolute paths, as resolved once; a VM keeps those it was made with. */
export interface Settings {
  /** `VMS_IMAGES`: the directory of disks. Ours are under `vms/` in it. Default /var/lib/libvirt/images. */
  readonly images: string;
  /** `VMS_ISO`: where installation media are kept. Default /var/lib/libvirt/iso. */
  readonly iso: string;
  /** `VMS_FILESYSTEMS`: the parent of what guests share. Default /var/lib/libvirt/filesystems. */
  readonly filesystems: string;
  /** `VMS_PKG_CACHE`: the host's own pacman cache, shared read-only. Default /var/cache/pacman/pkg. */
  readonly pkgCache: string;
}

/** What an argument is taken from where it is not given; undefined leaves the package's own default. */
export interface Defaults {
  /** `VMS_ARCH_ISO`: a path or an https URL. */
  readonly archIso?: string | undefined;
  readonly memory?: string | undefined;
  readonly cpus?: string | undefined;
  readonly disk?: string | undefined;
  readonly profile?: string | undefined;
}

const names = {
  images: "VMS_IMAGES",
  iso: "VMS_ISO",
  filesystems: "VMS_FILESYSTEMS",
  pkgCache: "VMS_PKG_CACHE",
  archIso: "VMS_ARCH_ISO",
  memory: "VMS_DEFAULT_MEMORY",
  cpus: "VMS_DEFAULT_CPUS",
  disk: "VMS_DEFAULT_DISK",
  profile: "VMS_DEFAULT_PROFILE",
} as const;

export type SettingName = keyof typeof names;

/** Where a setting is looked for, in words. */
export const originOf = (name: SettingName): string => `the setting vms:${name} or ${names[name]}`;

/** Settings given by an argument or by Pulumi config; they win over the environment. */
export type GivenSettings = Partial<Record<SettingName, string | undefined>>;

const fallback: Settings = {
  images: "/var/lib/libvirt/images",
  iso: "/var/lib/libvirt/iso",
  filesystems: "/var/lib/libvirt/filesystems",
  pkgCache: "/var/cache/pacman/pkg",
};

/** Throws VmsError (input) where a path is not absolute or vms.conf cannot be understood. */
export function resolveSettings(
  given: GivenSettings = {},
  environment: NodeJS.ProcessEnv = process.env,
): { settings: Settings; defaults: Defaults } {
  const file = readConf(environment);
  const find = (name: SettingName): string | undefined =>
    nonEmpty(given[name]) ?? nonEmpty(environment[names[name]]) ?? nonEmpty(file[names[name]]);
  const directory = (name: keyof Settings): string => {
    const value = find(name) ?? fallback[name];
    if (!/^\/[^\0\n]*$/.test(value)) {
      throw new VmsError("input", `${names[name]} is ${JSON.stringify(value)}: it must be an absolute path`);
    }
    return value;
  };
  return {
    settings: {
      images: directory("images"),
      iso: directory("iso"),
      filesystems: directory("filesystems"),
      pkgCache: directory("pkgCache"),
    },
    defaults: {
      archIso: find("archIso"),
      memory: find("memory"),
      cpus: find("cpus"),
      disk: find("disk"),
      profile: find("profile"),
    },
  };
}

/** The files looked at, the first that exists counts: `$VMS_CONF`, then the user's, then the host's. */
function confFiles(environment: NodeJS.ProcessEnv): string[] {
  const config =
    nonEmpty(environment["XDG_CONFIG_HOME"]) ?? join(nonEmpty(environment["HOME"]) ?? homedir(), ".config");
  const named = nonEmpty(environment["VMS_CONF"]);
  return named === undefined ? [join(config, "vms", "vms.conf"), "/etc/vms.conf"] : [named];
}

function readConf(environment: NodeJS.ProcessEnv): Record<string, string> {
  for (const path of confFiles(environment)) {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT" && nonEmpty(environment["VMS_CONF"]) === undefined)
        continue;
      throw new VmsError("input", `${path} cannot be read: ${(error as Error).message}`, { cause: error });
    }
    return parseConf(text, path);
  }
  return {};
}

/** Lines of `NAME=value`, as a shell would take them: comments with #, quotes around a whole value. */
export function parseConf(text: string, path: string): Record<string, string> {
  const known = new Set<string>(Object.values(names));
  const values: Record<string, string> = {};
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const match = /^\s*([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|([^\s"'#]*))\s*(?:#.*)?$/.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined || !known.has(name)) {
      throw new VmsError("input", `${path}:${index + 1} is not understood: ${line.trim()}`, {
        hint: `Write NAME=value, with a name of ${[...known].join(", ")}`,
      });
    }
    values[name] = match[2] ?? match[3] ?? match[4] ?? "";
  }
  return values;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
