/** Images and bases with the VMs that stand on them, and making a long chain short. */
import type { Context } from "../context.js";
import { cannot, hasCode, VmsError } from "../errors.js";
import { readWritableDisks } from "../libvirt/disks.js";
import { domainState, dumpDomain, readDomain, setMark } from "../libvirt/domain.js";
import { dumpAll } from "../libvirt/dump.js";
import type { Connection } from "../libvirt/virsh.js";
import { backingChain } from "../storage/chain.js";
import { isImage } from "../storage/image-store.js";
import { type ImageInfo, rebaseDisk } from "../storage/qemu-img.js";
import { listSharedFiles, type SharedFile } from "../storage/usage.js";
import { sweepBases } from "./bases.js";
import { findNamed, requireWhole } from "./named.js";
import { type OwnDomain, requireStore, withVm } from "./ownership.js";
import { markOf, settleDisks } from "./settle.js";
import { refuseSavedState, refuseSnapshots } from "./snapshots.js";

export interface UsedFile extends SharedFile {
  /** Names of the VMs with a disk that stands on it, however far below. */
  readonly users: readonly string[];
  /** Paths of the images and bases that are made on it. */
  readonly above: readonly string[];
}

export async function describeSharedFiles(connection: Connection, context: Context): Promise<UsedFile[]> {
  const files = await listSharedFiles(context.settings);
  const users = new Map<string, string[]>();
  for (const xml of await dumpAll(connection, ["--inactive"])) {
    const { name } = readDomain(xml);
    for (const path of await standsOn(xml)) users.set(path, [...(users.get(path) ?? []), name]);
  }
  return files.map((file) => ({
    ...file,
    users: [...new Set(users.get(file.path) ?? [])].sort(),
    above: files.filter(({ backing }) => backing === file.path).map(({ path }) => path),
  }));
}

/** All files below the writable disks of a definition; none of a chain that has a file which is gone, or which we may not read. */
async function standsOn(xml: string): Promise<string[]> {
  const chains = await Promise.all(readWritableDisks(xml).map(({ file }) => readableChain(file)));
  return chains.flatMap((chain) => chain.slice(1).map(({ path }) => path));
}

async function readableChain(top: string): Promise<ImageInfo[]> {
  try {
    return await backingChain(top);
  } catch (error) {
    if (hasCode(error, "gone", "permission")) return [];
    throw error;
  }
}

async function writableTops(connection: Connection, uuid: string): Promise<string[]> {
  return readWritableDisks(await dumpDomain(connection, uuid)).map(({ file }) => file);
}

/**
 * Puts the disks of a VM that is off straight onto their image, or onto the lowest file of a chain without one: what the bases in between
 * hold is copied into its own top file, and nothing that is shared is written. Returns how many bases there were in between at most.
 */
export async function compactVm(connection: Connection, name: string, context: Context): Promise<number> {
  try {
    const found = await findNamed(connection, name);
    requireWhole(found);
    return await withVm(found.name, context, async () => {
      const domain = await findNamed(connection, found.uuid);
      requireWhole(domain);
      requireStore(domain, context);
      await requireOff(connection, domain);
      await refuseSavedState(connection, domain, "its disk cannot be rewritten");
      await refuseSnapshots(connection, domain.uuid, "its disk cannot be rewritten");
      await settleDisks(connection, domain.uuid, context);
      // A clone that was asked for before must not take what the disk stands on then for what was frozen.
      const { frozen, ...mark } = markOf(await dumpDomain(connection, domain.uuid));
      if (frozen !== undefined) await setMark(connection, domain.uuid, mark);
      const counts = [];
      for (const top of await writableTops(connection, domain.uuid)) counts.push(await compactDisk(top, context));
      await sweepBases(connection, context);
      return Math.max(0, ...counts);
    });
  } catch (error) {
    throw cannot("compact", "VM", name, error);
  }
}

async function requireOff(connection: Connection, { uuid, name }: OwnDomain): Promise<void> {
  const { state } = await domainState(connection, uuid);
  if (state === "shut off") return;
  const paused = state === "paused" || state === "pmsuspended";
  const off = { stop: `vms stop ${name}`, kill: `vms kill ${name}` };
  const how = paused ? `vms start ${name}, then ${off.stop}` : state === "crashed" ? off.kill : off.stop;
  throw new VmsError("busy", `it is ${state}, and its disk can be rewritten only while it is off`, {
    hint: `Power it off first: ${how}`,
  });
}

async function compactDisk(top: string, context: Context): Promise<number> {
  const below = (await backingChain(top)).slice(1);
  // What an image stands on is as good as part of it. A base that was installed for its VM alone is the lowest itself.
  const target = below.find(({ path }) => isImage(context.settings, path)) ?? below.at(-1);
  const between = target === undefined ? 0 : below.indexOf(target);
  if (target !== undefined && between > 0) {
    context.progress.phase(`copying what ${between} frozen ${between === 1 ? "disk holds" : "disks hold"}`);
    await rebaseDisk(top, target.path, context);
    context.reached?.("compact: rebased");
  }
  return between;
}
