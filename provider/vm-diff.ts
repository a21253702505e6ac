/** What a change of a VM means: which properties differ, whether a new VM is needed, and the words for it in a preview. */
import type { DiffResult } from "@pulumi/pulumi/dynamic/index.js";
import { archVmFields, hiddenInputs } from "./arch-vm-inputs.js";
import { guestConsequence, guestInputs } from "./guest-change-words.js";
import { defaultedKey, isUnknown, shown } from "./inputs.js";

type Values = Readonly<Record<string, unknown>>;

/** Only an install looks at these: for a VM that exists they are recorded and nothing is done. */
const installOnly: readonly string[] = ["iso", "mirror", "fresh", "pacmanCache", "timeouts", "profileScript"];

/** Changed in place by this version. */
const inPlace: readonly string[] = [
  "memory",
  "cpus",
  "disk",
  "running",
  "autostart",
  "network",
  "acceleration",
  "shares",
  ...guestInputs,
];

/** Where it matters for the consequence whether the VM runs, and what it has then, so that libvirt is asked. */
export const asksHost: readonly string[] = ["memory", "cpus", "disk", "network", ...guestInputs];

/** Whether a VM takes the change of a property while it runs; undefined where nobody could tell. */
export type Foresight = (name: string) => boolean | undefined;

/** Only looked at when a VM is made. */
const createOnly = "adopt";

/** Without a value they say nothing, where a default does not stand in for it. */
const leftAlone: readonly string[] = ["memory", "cpus", "disk", "running"];

const secret: readonly string[] = ["password", "rootPassword"];

/** The inputs that differ. A property that is not known yet differs; bookkeeping never does. */
export function changedInputs(olds: Values, news: Values): string[] {
  const outputsOrBookkeeping = new Set<string>([...hiddenInputs, defaultedKey, ...outputNames]);
  const names = new Set([...Object.keys(news), ...recordedInputs(olds)].filter((name) => !name.startsWith("__")));
  const isNew = addedByVersion(olds, news);
  return (
    [...names]
      .filter((name) => !outputsOrBookkeeping.has(name) && !isNew(name) && differs(olds[name], news[name]))
      .filter((name) => name !== "name" || !followsDomain(olds, news))
      .filter((name) => name !== "profile" || !isMoved(olds, news))
      // Another profile has another script.
      .filter((name) => name !== "profileScript" || !differs(olds["profile"], news["profile"]))
      .sort()
  );
}

/** Whether the profile is the same script at another place, as where the whole checkout was moved. */
function isMoved(olds: Values, news: Values): boolean {
  return typeof news["profileScript"] === "string" && olds["profileScript"] === news["profileScript"];
}

/** Whether a property has only the default of a version that knows it, where the record is of one that did not. */
function addedByVersion(olds: Values, news: Values): (name: string) => boolean {
  const defaulted = news[defaultedKey];
  return (name) => olds[name] === undefined && Array.isArray(defaulted) && defaulted.includes(name);
}

/** Whether the program's new name is the one that somebody gave to the domain by hand. */
function followsDomain(olds: Values, news: Values): boolean {
  return news["name"] !== olds["name"] && news["name"] === olds["domainName"];
}

/** What create and read add to the inputs. Those that are inputs as well (name) are compared as inputs. */
export const outputNames = [
  "uuid",
  "mac",
  "ipAddress",
  "state",
  "diskPath",
  "image",
  "base",
  "consoleLog",
  "viewer",
  "owner",
  "ownerLabel",
  "phase",
  "schemaVersion",
  "domainName",
] as const;

/** What another version of this package recorded and this one does not know is no difference. */
function recordedInputs(olds: Values): string[] {
  const known = [...Object.keys(archVmFields({})), "source"];
  return Object.keys(olds).filter((name) => known.includes(name));
}

/** How far the VM is, by its record; one without it is of a version that recorded what was ready only. */
export function phaseOf(state: Values): unknown {
  return state["phase"] ?? "ready";
}

function differs(old: unknown, now: unknown): boolean {
  return isUnknown(now) || JSON.stringify(sorted(old)) !== JSON.stringify(sorted(now));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** @param replacing the properties whose change makes a new VM */
export function diffVm(
  replacing: readonly string[],
  olds: Values,
  news: Values,
  foresee: Foresight,
): DiffResult & { lines: string[] } {
  const changed = changedInputs(olds, news);
  const replaces = changed.filter((name) => replacing.includes(name) && !isUnknown(news[name]));
  const enforced = typeof news["running"] === "boolean" && news["running"] !== (olds["state"] === "running");
  const halfMade = phaseOf(olds) !== "ready";
  const renaming = replaces.length > 0 ? [] : renamingLines(olds, news);
  const lines = [
    ...changed
      .filter((name) => !replaces.includes(name))
      .map((name) =>
        replacing.includes(name) ? unknownReplacement(name, olds, news) : consequence(name, olds, news, foresee),
      ),
    ...replaces.map((name) => `${transition(name, olds, news)}: a new VM is made, the data of the old one is lost`),
    ...(enforced && !changed.includes("running")
      ? [`it is ${shown(olds["state"])} and is ${news["running"] === true ? "started" : "shut down"}`]
      : []),
    ...renaming,
    ...(halfMade ? [remaking(olds, news)] : []),
  ];
  return {
    changes: changed.length > 0 || enforced || halfMade || renaming.length > 0,
    replaces,
    // Names and paths collide: the old VM goes first.
    deleteBeforeReplace: replaces.length > 0,
    stables: replaces.length > 0 || halfMade ? [] : ["uuid", "mac", ...(followsDomain(olds, news) ? [] : ["name"])],
    lines,
  };
}

/** A domain that somebody renamed is the same VM: it gets its name back, or the program has taken the new one on. */
function renamingLines(olds: Values, news: Values): string[] {
  const [called, name] = [olds["domainName"], news["name"]];
  if (typeof called !== "string" || typeof name !== "string" || isUnknown(name)) return [];
  if (followsDomain(olds, news)) return [`${transition("name", olds, news)}: libvirt calls it so already`];
  if (called === name) return [];
  const when = olds["state"] === "running" ? "when it is off" : "in place";
  return [`libvirt calls it ${called}: it is named ${name} again, ${when}`];
}

function remaking(olds: Values, news: Values): string {
  switch (phaseOf(olds)) {
    case "lost":
      return `its disk ${plain(olds["diskPath"])} is gone: it is made again${news["source"] === undefined ? "" : " from its source as it is now"}, nothing is left of its data`;
    case "unmarked":
      return "its domain bears no mark of ours any more: the update leaves it alone, and fails";
    default:
      return `it was left ${olds["phase"] === "deleting" ? "half-deleted" : "half-made"} and is made again; what is on its disk is lost`;
  }
}

function unknownReplacement(name: string, olds: Values, news: Values): string {
  return `${transition(name, olds, news)}: where it turns out to differ, a new VM is made and the data of the old one is lost`;
}

function consequence(name: string, olds: Values, news: Values, foresee: Foresight): string {
  const what =
    name === "profileScript" ? `the script ${plain(news["profile"])} has changed` : transition(name, olds, news);
  if (news[name] === undefined && leftAlone.includes(name)) return `${what}: left as it is`;
  if (installOnly.includes(name)) return `${what}: recorded; it matters at an install only, nothing is done to this VM`;
  if (name === createOnly) return `${what}: recorded; it matters only when a VM is made`;
  const inGuest = guestConsequence(name, olds, news, foresee(name));
  if (inGuest !== undefined) return `${what}: ${inGuest}`;
  switch (name) {
    case "memory":
    case "cpus":
    case "network":
      return `${what}: in place, ${when(foresee(name), `at the next boot ${powerCycle}`)}`;
    case "acceleration":
    case "shares":
      return `${what}: in place, at the next boot ${powerCycle}`;
    case "disk":
      return `${what}: in place; the root file system grows ${when(foresee(name), "at the next boot")}`;
    case "running":
    case "autostart":
      return `${what}: in place`;
    default:
      return `${what}: this version cannot change it in a VM that exists, the update will say so`;
  }
}

/** A reboot from inside keeps the old qemu. */
const powerCycle = "(a power-off and a start)";

function when(live: boolean | undefined, later: string): string {
  return live === undefined ? "live if it runs" : live ? "live" : later;
}

function transition(name: string, olds: Values, news: Values): string {
  if (secret.includes(name)) return `${name} changes`;
  const now = isUnknown(news[name]) ? "not known yet" : plain(news[name]);
  return `${name} ${plain(olds[name])} -> ${now}`;
}

const plain = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "not set" : shown(value);

/** The changed inputs that an update cannot bring about yet. */
export function unsupportedChanges(changed: readonly string[]): string[] {
  return changed.filter((name) => ![...inPlace, ...installOnly, createOnly].includes(name));
}
