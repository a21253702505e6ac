/** The properties of ArchVm: their defaults, what is valid, and what is said where one is not. */
import { compareSync, hashSync } from "bcryptjs";
import { VmsError } from "./errors.js";
import {
  boolean,
  type Checked,
  checkFields,
  type Failure,
  type Field,
  type Fields,
  integer,
  isUnknown,
  listOf,
  oneOf,
  shown,
  text,
  type Verdict,
} from "./inputs.js";
import { hashOfScript, isOwnProfile, normalProfile, readProfiles } from "./install/profile.js";
import { type Defaults, type GivenSettings, originOf, resolveSettings } from "./settings.js";
import { checkKeys } from "./keys-input.js";
import { checkIsoInput } from "./storage/iso-input.js";
import { checkShares } from "./shares-input.js";
import { parseSize } from "./storage/size.js";
import { imageCapacity, vmNamePattern } from "./vm/spec.js";

/** Properties that the constructor adds: they are no input of a user and never a difference. */
export const hiddenInputs = ["resourceUrn", "organization", "settings", "replaceOnChanges"] as const;

type Values = Readonly<Record<string, unknown>>;

/** Checks everything at once; `environment` is where settings are looked up. */
export function checkArchVm(
  olds: Values | undefined,
  news: Values,
  environment: NodeJS.ProcessEnv = process.env,
): Checked {
  const { inputs, failures } = checkVm({ fields: archVmFields, replacing }, olds, news, environment);
  return { inputs: { ...inputs, ...recordScript(inputs["profile"]) }, failures };
}

/** Of a profile of the user's own it is recorded what its script said, so that a preview can tell that it says something else now. */
function recordScript(profile: unknown): { profileScript?: string } {
  if (typeof profile !== "string" || !isOwnProfile(profile)) return {};
  return { profileScript: hashOfScript(readProfiles(profile).top) };
}

export interface CheckedKind<Name extends string = string> {
  readonly fields: (defaults: Defaults) => Readonly<Record<Name, Field>>;
  readonly replacing: readonly string[];
}

/** What the checks of all resources that are VMs have in common. */
export function checkVm(
  { fields, replacing }: CheckedKind,
  olds: Values | undefined,
  news: Values,
  environment: NodeJS.ProcessEnv,
): Checked {
  const before: Values | undefined = olds !== undefined && Object.keys(olds).length > 0 ? olds : undefined;
  const failures: Failure[] = [];
  let resolved: ReturnType<typeof resolveSettings> | undefined;
  try {
    resolved = resolveSettings(news["settings"] as GivenSettings | undefined, environment);
  } catch (error) {
    failures.push({ property: "settings", reason: error instanceof VmsError ? error.message : String(error) });
  }
  // What the environment says counts for a VM that is to be made, and never for one that exists.
  const defaults = before === undefined ? resolved?.defaults : undefined;
  const checked = checkFields(fields(defaults ?? {}), before, news, hiddenInputs);
  failures.push(...checked.failures);
  const inputs = checked.inputs;
  // The directories that a VM was made in stay its own, whatever the environment says later.
  inputs["settings"] = before?.["settings"] ?? resolved?.settings;
  for (const name of ["password", "rootPassword"]) inputs[name] = keepHash(before?.[name], inputs[name]);
  failures.push(...shrinkFailure(before, inputs, replacing));
  return { inputs: withoutUndefined(inputs), failures };
}

export const nameField: Field = {
  check: text(vmNamePattern, "a name: lower-case letters, digits and hyphens, at most 63, not a hyphen first"),
};

export function archVmFields(defaults: Defaults) {
  return {
    name: nameField,
    profile: { check: checkProfile, fallback: defaults.profile ?? "gui", origin: originOf("profile") },
    memory: {
      check: integer(512, 16 * 1024 * 1024, "MiB"),
      fallback: numberOf(defaults.memory) ?? 2048,
      origin: originOf("memory"),
    },
    cpus: { check: integer(1, 255, ""), fallback: numberOf(defaults.cpus) ?? 2, origin: originOf("cpus") },
    disk: { check: checkDisk, fallback: defaults.disk ?? "20G", origin: originOf("disk") },
    packages: { check: sortedSet(listOf(text(/^[a-z0-9@_+][a-z0-9@._+-]*$/, "a package's name"))), fallback: [] },
    iso: {
      check: checkIso,
      ...(defaults.archIso === undefined ? {} : { fallback: defaults.archIso, origin: originOf("archIso") }),
    },
    mirror: { check: checkMirror },
    user: { check: checkUser, fallback: "user" },
    password: { check: checkPassword },
    rootPassword: { check: checkPassword },
    authorizedKeys: { check: checkKeys, fallback: [] },
    timezone: { check: checkTimezone },
    locale: { check: text(/^(C|POSIX|[a-z]{2,3}_[A-Z]{2})\.UTF-8(@[a-z]+)?$/, "a locale such as en_US.UTF-8") },
    keymap: { check: text(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, "a keymap such as us or de-latin1") },
    hostname: {
      check: text(
        /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/,
        "a host name: letters, digits and hyphens, at most 63",
      ),
    },
    network: {
      check: text(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/, 'a libvirt network\'s name, or "user"'),
      fallback: "default",
    },
    shares: { check: checkShares },
    pacmanCache: { check: boolean, fallback: true },
    running: { check: boolean },
    autostart: { check: boolean, fallback: false },
    fresh: { check: boolean },
    acceleration: { check: oneOf(["auto", "kvm", "tcg"]), fallback: "auto" },
    connection: { check: checkConnection, fallback: "qemu:///system" },
    timeouts: { check: checkTimeouts, fallback: {} },
    adopt: { check: boolean },
  } satisfies Fields;
}

/** What is no number stays as it was written, so that the refusal shows it. */
const numberOf = (value: string | undefined): number | string | undefined =>
  value !== undefined && /^\d+$/.test(value) ? Number(value) : value;

function checkProfile(value: unknown): Verdict {
  if (typeof value !== "string")
    return { failure: `${shown(value)} is not a profile's name or the path of its script` };
  try {
    const name = normalProfile(value);
    readProfiles(name);
    return { value: name };
  } catch (error) {
    if (error instanceof VmsError) return { failure: error.reason };
    throw error;
  }
}

function checkDisk(value: unknown): Verdict {
  if (typeof value !== "string") return { failure: `${shown(value)} is not a size with a unit, such as "20G"` };
  try {
    if (parseSize(value) >= imageCapacity) return { value };
    return {
      failure: `${shown(value)} is smaller than what is installed on it: the least is "${imageCapacity / 1024 ** 3}G"`,
    };
  } catch (error) {
    return { failure: error instanceof VmsError ? error.reason : String(error) };
  }
}

function sortedSet(list: Field["check"]): Field["check"] {
  return (value) => {
    const verdict = list(value);
    return "value" in verdict ? { value: [...new Set(verdict.value as string[])].sort() } : verdict;
  };
}

function checkIso(value: unknown): Verdict {
  const failure = checkIsoInput(value);
  return failure === undefined ? { value } : { failure };
}

function checkMirror(value: unknown): Verdict {
  const valid = typeof value === "string" && /^https?:\/\/[A-Za-z0-9.[\]:_-]+(\/[A-Za-z0-9._~$/%+-]*)?$/.test(value);
  if (!valid) return { failure: `${shown(value)} is not the URL of a pacman server` };
  if (value.includes("$repo") && value.includes("$arch")) return { value };
  return {
    failure: `${shown(value)} lacks $repo or $arch; write it as pacman's mirror list does, e.g. https://mirror.example/$repo/os/$arch`,
  };
}

/** Those that Arch's own packages bring along. */
const systemAccounts = "root bin daemon mail ftp http nobody dbus uuidd git avahi polkitd rtkit tss alpm sshd".split(
  " ",
);

function checkUser(value: unknown): Verdict {
  if (typeof value === "string" && (systemAccounts.includes(value) || value.startsWith("systemd-"))) {
    return { failure: `${value} is an account of the system; name the user that works in the VM` };
  }
  return text(/^[a-z_][a-z0-9_-]{0,30}$/, "a user's name: lower-case letters, digits, _ and -, at most 31")(value);
}

/** bcrypt looks at 72 bytes and no further: a longer password would be weaker than it seems. */
function checkPassword(value: unknown): Verdict {
  if (typeof value !== "string" || value === "") return { failure: "is empty; leave it out for a locked password" };
  // eslint-disable-next-line no-control-regex -- these are what a login prompt cannot take
  if (/[\0-\x1f\x7f]/.test(value))
    return { failure: "has a control character in it, which cannot be typed at a login" };
  if (Buffer.byteLength(value) > 72) return { failure: "is longer than 72 bytes, of which the rest would not count" };
  return { value };
}

function checkTimezone(value: unknown): Verdict {
  const failure = { failure: `${shown(value)} is not a time zone such as Europe/Berlin or UTC` };
  if (typeof value !== "string" || !/^[A-Za-z0-9_+-]+(\/[A-Za-z0-9_+-]+)*$/.test(value)) return failure;
  try {
    const known = new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone;
    const misspelt = known.toLowerCase() === value.toLowerCase() && known !== value;
    return misspelt ? { failure: `${shown(value)} is not a time zone; write ${known}` } : { value };
  } catch {
    return failure;
  }
}

function checkConnection(value: unknown): Verdict {
  if (value === "qemu:///system") return { value };
  return { failure: `${shown(value)} is not supported; for now the only connection is qemu:///system` };
}

function checkTimeouts(value: unknown): Verdict {
  const names = ["boot", "install", "profile", "shutdown"];
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { failure: `${shown(value)} is not an object` };
  const problems = Object.entries(value).flatMap(([name, seconds]) => {
    if (!names.includes(name)) return [`${name} is not one of ${names.join(", ")}`];
    const verdict = integer(1, 7 * 24 * 3600, "seconds")(seconds);
    return "failure" in verdict ? [`${name}: ${verdict.failure}`] : [];
  });
  return problems.length === 0 ? { value } : { failure: problems.join("; ") };
}

/** A new hash each time would be a difference each time: the old one stays where it is the password's. */
function keepHash(old: unknown, given: unknown): unknown {
  if (typeof given !== "string" || isUnknown(given)) return given;
  if (typeof old === "string" && old.startsWith("$2") && compareSync(given, old)) return old;
  return hashSync(given, 10);
}

function shrinkFailure(before: Values | undefined, inputs: Values, replacing: readonly string[]): Failure[] {
  const [old, now] = [before?.["disk"], inputs["disk"]];
  if (typeof old !== "string" || typeof now !== "string" || isUnknown(old) || isUnknown(now)) return [];
  const replaced = replacing.some((name) => before?.[name] !== inputs[name]);
  if (replaced || parseSize(now) >= parseSize(old)) return [];
  return [
    { property: "disk", reason: `cannot shrink from ${old} to ${now}: data would be lost; a disk can only grow` },
  ];
}

/** A change of one of these makes a new VM. */
export const replacing = ["name", "profile", "user", "connection"] as const;

function withoutUndefined(values: Values): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
