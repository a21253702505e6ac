/** What a VM is asked to be: complete and valid, as the providers' `check` and the command line both make it. */
import type { IsoInput } from "../storage/iso-input.js";
import type { SharedDirectory } from "../libvirt/shares-edit.js";
import type { Settings } from "../settings.js";

/** In seconds. Where one is not given it depends on the acceleration (install/steps.ts). */
export interface Timeouts {
  readonly boot?: number;
  readonly install?: number;
  readonly profile?: number;
  readonly shutdown?: number;
}

export type Acceleration = "auto" | "kvm" | "tcg";

export interface VmSpec {
  readonly name: string;
  readonly profile: string;
  /** In MiB. */
  readonly memory: number;
  readonly cpus: number;
  /** With a unit, e.g. "20G". */
  readonly disk: string;
  readonly packages: readonly string[];
  readonly iso?: IsoInput;
  readonly mirror?: string;
  readonly user: string;
  /** crypt(3) hashes; without one the password stays locked. */
  readonly password?: string;
  readonly rootPassword?: string;
  readonly authorizedKeys: readonly string[];
  readonly timezone?: string;
  readonly locale?: string;
  readonly keymap?: string;
  readonly hostname?: string;
  /** A libvirt network's name, or "user". */
  readonly network: string;
  /** Not set in the state of earlier versions. */
  readonly shares?: readonly SharedDirectory[];
  readonly pacmanCache: boolean;
  /** Installed for this VM alone: its disk stands on no image. */
  readonly fresh?: boolean;
  /** A VM of this name that the command line made becomes this one. */
  readonly adopt?: boolean;
  readonly running?: boolean;
  readonly autostart: boolean;
  readonly acceleration: Acceleration;
  readonly connection: string;
  readonly timeouts: Timeouts;
  readonly settings: Settings;
}

/** What a clone is asked to be; what is not said is as in its source. */
export interface CloneSpec {
  readonly name: string;
  /** The name of a VM of ours. */
  readonly source: string;
  /** In MiB. */
  readonly memory?: number;
  readonly cpus?: number;
  /** With a unit; the source's or larger. */
  readonly disk?: string;
  readonly hostname?: string;
  readonly authorizedKeys?: readonly string[];
  readonly running?: boolean;
  readonly autostart: boolean;
  readonly connection: string;
  readonly timeouts: Timeouts;
  readonly settings: Settings;
}

/** Lower-case letters, digits and hyphens, at most 63, not a hyphen first. */
export const vmNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

export const isVmName = (name: string): boolean => vmNamePattern.test(name);

/** In bytes: every image's capacity, and so the least that a VM's disk can have. Room for the largest profile while it is installed. */
export const imageCapacity = 8 * 1024 ** 3;

/** A VM's name may end in a hyphen, a host's may not. */
export const hostnameOf = (spec: Pick<VmSpec, "name" | "hostname">): string =>
  spec.hostname ?? spec.name.replace(/-+$/, "");
