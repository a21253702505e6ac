/** Taking a VM to the new files of a freeze, whatever others do with it meanwhile: it may be started, powered off, saved and restored. */
import type { Context } from "../context.js";
import { readDisks } from "../libvirt/disks.js";
import { defineDomain, dumpDomain, dumpRunning, dumpSaved, isOff } from "../libvirt/domain.js";
import { replaceDiskFiles } from "../libvirt/domain-edit.js";
import { type Switch, switchDisks } from "../libvirt/snapshot.js";
import type { Connection } from "../libvirt/virsh.js";
import { savedState } from "./snapshots.js";

export interface Replaced extends Switch {
  /** The file that it writes to until then. */
  readonly old: string;
}

export interface Switched {
  readonly connection: Connection;
  readonly uuid: string;
  readonly runs: boolean;
  /** The targets of the disks that stay as they are. */
  readonly others: readonly string[];
}

/**
 * Behind this neither its definition nor what runs of it writes to an old file. Returns whether its file systems were quiesced. Throws
 * VmsError (unsupported), with all as it was, where its memory was saved meanwhile with the old files.
 */
export async function switchOver(
  vm: Switched,
  switches: readonly Replaced[],
  quiesce: boolean,
  context: Context,
): Promise<boolean> {
  const { connection, uuid, runs, others } = vm;
  const quiet = runs && (await switchDisks(connection, uuid, switches, others, quiesce));
  if (!runs) await defineWith(vm, new Map(switches.map(({ old, file }) => [old, file])));
  context.reached?.("freeze: switched");
  // Before and behind the look at what runs: what is saved may come back, and what runs may be saved.
  await refuseOldState(vm, switches);
  while (await runsOnOld(vm, switches)) {
    // Of one that has gone off again libvirt switches the definition alone.
    await switchDisks(connection, uuid, switches, others, false);
    await refuseOldState(vm, switches);
  }
  await refuseOldState(vm, switches);
  return quiet;
}

async function defineWith({ connection, uuid }: Switched, files: ReadonlyMap<string, string>): Promise<void> {
  await defineDomain(connection, replaceDiskFiles(await dumpDomain(connection, uuid), files));
}

/** One that was saved behind the switch names the new files, as the definition does. */
async function refuseOldState(vm: Switched, switches: readonly Replaced[]): Promise<void> {
  const { connection, uuid } = vm;
  const saved = await dumpSaved(connection, uuid);
  if (saved === undefined || !namesOld(saved, switches)) return;
  await defineWith(vm, new Map(switches.map(({ old, file }) => [file, old])));
  throw savedState(connection, uuid, "it cannot be cloned");
}

async function runsOnOld({ connection, uuid }: Switched, switches: readonly Replaced[]): Promise<boolean> {
  return !(await isOff(connection, uuid)) && namesOld(await dumpRunning(connection, uuid), switches);
}

function namesOld(xml: string, switches: readonly Replaced[]): boolean {
  const files = readDisks(xml).map(({ file }) => file);
  return switches.some(({ old }) => files.includes(old));
}
