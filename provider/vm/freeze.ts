/**
 * Freezing a VM's disks, so that clones can stand on what is on them now: each top file becomes a base, which is never written
 * again, and the VM goes on in a new file on top of it.
 *
 * The order is what a crash cannot hurt: the new files are in the mark before they are made; a base has its name before a header
 * says it; the old name goes when the definition knows it no more. What is left of an interrupted freeze is put right by the next.
 */
import type { Context } from "../context.js";
import { hasCode, toVmsError, VmsError } from "../errors.js";
import { withLock } from "../host/lock.js";
import { isAfter, type Moment, now } from "../host/moment.js";
import { readDisks, readWritableDisks, type WritableDisk } from "../libvirt/disks.js";
import { dumpDomain, isOff, setMark } from "../libvirt/domain.js";
import { awaitAgent, runInGuest } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";
import { basePathOf, nameBase, storeLock } from "../storage/bases.js";
import { createOverlay, imageInfo } from "../storage/qemu-img.js";
import { newDiskPath } from "../storage/store.js";
import { sameAsBacking } from "../storage/written.js";
import { markOf, settleDisks } from "./settle.js";
import { type Replaced, type Switched, switchOver } from "./switch-over.js";

/** A disk of the source, and what a clone's disk stands on. */
export interface FrozenDisk {
  readonly target: string;
  readonly base: string;
  /** In bytes; the source may have grown beyond the base. */
  readonly capacity: number;
}

export interface Frozen {
  readonly disks: readonly FrozenDisk[];
  /** Nothing was written since the last freeze, or that was after the request. */
  readonly reused: boolean;
}

/**
 * Returns bases with what is on the VM's disks at some moment behind `requested`. The caller has settled the disks, and holds the
 * VM's lock until something refers to the bases.
 */
export async function freezeDisks(
  connection: Connection,
  uuid: string,
  requested: Moment,
  context: Context,
): Promise<Frozen> {
  const source = await look(connection, uuid);
  if (source.runs) context.progress.detail("asking the source's guest agent");
  const agent = source.runs && (await awaitAgent(connection, uuid, { signal: context.signal }));
  if (await mayReuse(source, requested, agent, context)) return { disks: await describe(source.disks), reused: true };
  context.progress.phase("freezing the source's disk");
  if (source.runs && !agent) tellUnquiet("does not answer", context);
  try {
    await switchAll(source, agent, context);
  } catch (error) {
    await takeBack(source, context);
    throw error;
  }
  const { disks } = await look(connection, uuid);
  if (disks.some(({ file }) => source.disks.some((old) => old.file === file))) {
    throw new VmsError("busy", "its source's disks were changed by somebody else meanwhile", { hint: "Try again" });
  }
  return { disks: await describe(disks), reused: false };
}

function tellUnquiet(why: string, context: Context): void {
  context.progress.notice(
    `The source's guest agent ${why}, so its file systems were not quiesced: the clone starts as after a power cut`,
  );
}

interface Source extends Switched {
  readonly xml: string;
  readonly disks: readonly WritableDisk[];
}

async function look(connection: Connection, uuid: string): Promise<Source> {
  const xml = await dumpDomain(connection, uuid);
  const disks = readWritableDisks(xml);
  const targets = disks.map(({ target }) => target);
  const others = readDisks(xml).flatMap(({ target }) => (targets.includes(target) ? [] : [target]));
  return { connection, uuid, xml, runs: !(await isOff(connection, uuid)), disks, others };
}

/** Several requests that waited for each other share the freeze of the first that began behind the last of them. */
async function mayReuse(
  { connection, uuid, xml, runs, disks }: Source,
  requested: Moment,
  agent: boolean,
  { signal }: Context,
): Promise<boolean> {
  const frozen = markOf(xml).frozen;
  if (frozen !== undefined && isAfter(frozen, requested)) return true;
  // What a guest has not written yet nobody can see.
  if (runs && !(agent && (await flushGuest(connection, uuid, signal)))) return false;
  for (const { file } of disks) if (!(await sameAsBacking(file))) return false;
  return true;
}

const flushSeconds = 60;

/** Whether it did; a guest that is too busy for it is frozen as it is. */
async function flushGuest(connection: Connection, uuid: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await runInGuest(connection, uuid, "/usr/bin/sync", [], flushSeconds, { signal })).status === 0;
  } catch (error) {
    if (hasCode(error, "command", "guest")) return false;
    throw error;
  }
}

async function switchAll(source: Source, agent: boolean, context: Context): Promise<void> {
  const { connection, uuid, xml, disks } = source;
  const { settings } = context;
  const mark = markOf(xml);
  const switches = disks.map((disk) => ({
    ...disk,
    base: basePathOf(settings, disk.file),
    file: newDiskPath(settings),
    old: disk.file,
  }));
  await setMark(connection, uuid, { ...mark, files: [...mark.files, ...switches.map(({ file }) => file)] });
  context.reached?.("freeze: announced");
  const prepare = async (): Promise<void> => {
    for (const { old, base, file } of switches) {
      const { capacity } = await imageInfo(old, { shared: true });
      await nameBase(old, base);
      context.reached?.("freeze: base named");
      await createOverlay(file, base, capacity);
      context.reached?.("freeze: overlay made");
    }
  };
  await withLock(storeLock(settings), prepare, { signal: context.signal });
  const frozen = await now();
  const quiet = await switchOver(source, switches, agent, context);
  if (agent && !quiet) tellUnquiet("cannot freeze file systems", context);
  tellOfForeignDisks(
    switches.filter(({ old }) => !mark.files.includes(old)),
    context,
  );
  await settleDisks(connection, uuid, context);
  context.reached?.("freeze: settled");
  await setMark(connection, uuid, { ...markOf(await dumpDomain(connection, uuid)), frozen });
  context.reached?.("freeze: recorded");
}

/** After a failure, which matters more than one to put right what it left: the next freeze does it then. */
async function takeBack({ connection, uuid }: Source, context: Context): Promise<void> {
  try {
    await settleDisks(connection, uuid, context);
  } catch (error) {
    context.progress.notice(`What the failed freeze left is put right by the next one: ${toVmsError(error).reason}`);
  }
}

/** What is in a file that we did not make stays there; what the VM writes from now on is in one of ours, which goes with the VM. */
function tellOfForeignDisks(switches: readonly Replaced[], context: Context): void {
  for (const { target, old, file } of switches) {
    context.progress.notice(
      `The source writes to its disk ${target} (${old}) in ${file} from now on, which goes with the VM when that is deleted`,
    );
  }
}

/** Each disk with the file that its top stands on. */
async function describe(disks: readonly WritableDisk[]): Promise<FrozenDisk[]> {
  return Promise.all(
    disks.map(async ({ target, file }) => {
      const { backing, capacity } = await imageInfo(file, { shared: true });
      if (backing === undefined) throw new VmsError("gone", `its disk ${file} stands on nothing after it was frozen`);
      return { target, base: backing, capacity };
    }),
  );
}
