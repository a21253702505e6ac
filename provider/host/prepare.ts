/** Probes requirements, and mends what is missing: everything is looked at before anything is changed. */
import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { cannot, toVmsError, VmsError } from "../errors.js";
import type { Progress } from "../progress.js";
import { run } from "./command.js";
import { searchPath } from "./programs.js";
import { type Command, type Finding, type Host, type Requirement, showCommand } from "./requirement.js";

export interface Missing {
  readonly requirement: Requirement;
  readonly finding: Finding;
}

export interface Prepared {
  /** What was mended, a sentence each; empty where nothing was missing. */
  readonly changed: readonly string[];
  /** The ids of what was mended. */
  readonly mended: readonly string[];
  /** The ids of requirements that are not fatal and could not be mended. */
  readonly unavailable: readonly string[];
}

/** What is missing. Reads only. */
export async function inspectHost(requirements: readonly Requirement[], host: Host): Promise<Missing[]> {
  const missing: Missing[] = [];
  for (const requirement of requirements) {
    host.signal?.throwIfAborted();
    const finding = await requirement.probe(host);
    if (finding !== undefined) missing.push({ requirement, finding });
  }
  return missing;
}

/** What only root can mend and nothing works without. */
export function needsRoot(missing: readonly Missing[], host: Host): Missing[] {
  return host.uid === 0 ? [] : missing.filter(({ requirement }) => requirement.fatal && requirement.right === "root");
}

export const describeMissing = ({ requirement, finding }: Missing): string =>
  `${requirement.description}: ${finding.reason}`;

/**
 * Mends what is missing; run again, it changes nothing. Throws VmsError before the first change: requirement where something can
 * only be mended by the user, permission where the caller has no right, with `rootCommand` as what to run.
 */
export async function prepareHost(
  requirements: readonly Requirement[],
  host: Host,
  progress: Progress,
  rootCommand: string,
): Promise<Prepared> {
  const missing = await inspectHost(requirements, host);
  if (missing.length === 0) return { changed: [], mended: [], unavailable: [] };
  refuseEarly(missing, host, rootCommand);
  const changed: string[] = [];
  const mended: string[] = [];
  const unavailable: string[] = [];
  for (const requirement of requirements) {
    // Probed again: what was mended before may have mended, or uncovered, this.
    const finding = await requirement.probe(host);
    if (finding === undefined) continue;
    try {
      if (requirement.right === "root" && host.uid !== 0)
        throw new VmsError("permission", finding.reason, { hint: `Run: ${rootCommand}` });
      progress.phase(`making ready ${requirement.description}`);
      await mend(requirement, finding, host, progress);
    } catch (error) {
      const aborted = host.signal?.aborted === true;
      // Somebody else may have done it at the same time.
      if (aborted || (await requirement.probe(host).catch(() => finding)) !== undefined) {
        if (requirement.fatal || aborted) throw cannotPrepare(requirement, error, finding);
        unavailable.push(requirement.id);
        progress.notice(`${requirement.description} could not be made ready: ${withHint(error, finding)}`);
        continue;
      }
    }
    mended.push(requirement.id);
    changed.push(describeMissing({ requirement, finding }));
  }
  return { changed, mended, unavailable };
}

function refuseEarly(missing: readonly Missing[], host: Host, rootCommand: string): void {
  const hopeless = missing.filter(({ requirement, finding }) => requirement.fatal && finding.commands.length === 0);
  if (hopeless.length > 0) {
    const hints = hopeless.flatMap(({ finding }) => (finding.hint === undefined ? [] : [finding.hint]));
    throw cannot(
      "prepare",
      "host",
      hostname(),
      new VmsError("requirement", list(hopeless), { hint: hints.join("\n  ") }),
    );
  }
  const denied = needsRoot(missing, host);
  if (denied.length === 0) return;
  const reason = `this needs root's rights; nothing was changed. Missing are ${list(denied)}`;
  throw cannot("prepare", "host", hostname(), new VmsError("permission", reason, { hint: `Run: ${rootCommand}` }));
}

const list = (missing: readonly Missing[]): string => missing.map(describeMissing).join("; ");

/** Runs what mends it; where that uncovers other commands, these too. */
async function mend(requirement: Requirement, first: Finding, host: Host, progress: Progress): Promise<void> {
  let finding: Finding | undefined = first;
  const done = new Set<string>();
  const isNew = (command: Command): boolean => !done.has(JSON.stringify(command));
  while (finding !== undefined) {
    const commands = finding.commands.filter(isNew);
    if (commands.length === 0) throw new VmsError("requirement", `still, ${finding.reason}`, { hint: finding.hint });
    for (const command of commands) {
      done.add(JSON.stringify(command));
      await runCommand(command, host, progress);
    }
    finding = await settled(requirement, host, isNew);
  }
}

async function runCommand(command: Command, host: Host, progress: Progress): Promise<void> {
  progress.detail(showCommand(command));
  try {
    await run(command.argv, {
      env: { ...command.env, PATH: searchPath(host) },
      timeout: command.timeout,
      signal: host.signal,
      onLine: (line) => progress.detail(line),
    });
  } catch (error) {
    const { code, reason, hint } = toVmsError(error);
    throw new VmsError(code, `${showCommand(command)}: ${reason}`, { hint, cause: error });
  }
}

/** Probes until nothing is missing, something new is to be done, or the requirement's time is over. */
async function settled(
  requirement: Requirement,
  host: Host,
  isNew: (command: Command) => boolean,
): Promise<Finding | undefined> {
  const deadline = Date.now() + requirement.settle * 1000;
  for (;;) {
    const finding = await requirement.probe(host);
    if (finding === undefined || finding.commands.some(isNew) || Date.now() >= deadline) return finding;
    await delay(200, undefined, { signal: host.signal });
  }
}

function cannotPrepare(requirement: Requirement, error: unknown, finding: Finding): VmsError {
  const { code, reason, hint } = toVmsError(error);
  const inner = new VmsError(code, `${requirement.description}: ${reason}`, {
    hint: hint ?? finding.hint,
    cause: error,
  });
  return cannot("prepare", "host", hostname(), inner);
}

function withHint(error: unknown, finding: Finding): string {
  const { reason, hint } = toVmsError(error);
  const advice = hint ?? finding.hint;
  return advice === undefined ? reason : `${reason}. ${advice}`;
}
