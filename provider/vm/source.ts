/** The VM that a clone is made of: found, held, and judged before anything changes. */
import { dirname } from "node:path";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { withLock } from "../host/lock.js";
import { whatCannotBeCloned } from "../libvirt/clone-refusals.js";
import { readDisks, readWritableDisks } from "../libvirt/disks.js";
import { listFileUsers } from "../libvirt/domain-files.js";
import { domainState, dumpDomain, dumpRunning, findDomain } from "../libvirt/domain.js";
import type { Connection } from "../libvirt/virsh.js";
import { storePaths } from "../paths.js";
import { isAnyOf } from "../storage/file-identity.js";
import { backingChain } from "../storage/chain.js";
import { checkImage } from "../storage/qemu-img.js";
import type { Settings } from "../settings.js";
import { whatIsThere } from "./named.js";
import { type OwnDomain, requireStore, vmLock } from "./ownership.js";
import { settleDisks } from "./settle.js";
import { refuseSavedState, refuseSnapshots } from "./snapshots.js";

export interface Source extends OwnDomain {
  /** Its persistent definition. */
  readonly xml: string;
}

/**
 * Runs `work` while nobody else can change the source; waits for whoever does. Throws VmsError where it cannot be cloned, whoever
 * made it: a clone leaves its source as it is.
 */
export async function withSource<T>(
  connection: Connection,
  name: string,
  context: Context,
  work: (source: Source) => Promise<T>,
): Promise<T> {
  // Before the wait: who waits for another one that waits for us waits for ever, and no clone is made of what is not ready.
  const { name: found } = await findSource(connection, name);
  return withLock(
    vmLock(context.settings, found),
    async () => {
      const source = await findSource(connection, name);
      requireStore(source, context);
      const about = aboutCloning(source.name);
      // Before old names of its disks go, which either remembers.
      await refuseSavedState(connection, source, about);
      await refuseSnapshots(connection, source.uuid, about);
      await settleDisks(connection, source.uuid, context);
      const xml = await dumpDomain(connection, source.uuid);
      await refuseWhatCannotBeCloned(connection, source, xml, context);
      return work({ ...source, xml });
    },
    {
      signal: context.signal,
      onWait: () => {
        context.progress.phase(`waiting: another process is working on ${JSON.stringify(found)}`);
      },
    },
  );
}

async function findSource(connection: Connection, name: string): Promise<OwnDomain> {
  const domain = await findDomain(connection, name);
  const about = `its source ${JSON.stringify(name)}`;
  if (domain === undefined)
    throw new VmsError("gone", `${about} does not exist`, { hint: await whatIsThere(connection, name) });
  const { mark } = domain;
  if (mark === undefined) {
    throw new VmsError("foreign", `${about} is not a VM of ours; it was left alone`, {
      hint: `Clone it with: virt-clone --original ${name} --auto-clone`,
    });
  }
  if (mark.phase !== "ready") {
    throw new VmsError("busy", `${about} is not ready: it was left ${mark.phase}`, {
      hint: "Finish or remove it first, where it was made",
    });
  }
  return { ...domain, mark };
}

const aboutCloning = (name: string): string => `its source ${JSON.stringify(name)} cannot be cloned`;

async function refuseWhatCannotBeCloned(
  connection: Connection,
  { uuid, name }: OwnDomain,
  xml: string,
  { settings }: Context,
): Promise<void> {
  const about = aboutCloning(name);
  const reasons = whatCannotBeCloned(xml);
  if (reasons.length > 0) {
    throw new VmsError("unsupported", `${about}: ${reasons.join("; ")}`, {
      hint: `Take it out of the definition (virsh -c ${connection} edit ${name}), or make a VM without it`,
    });
  }
  const { state } = await domainState(connection, uuid);
  if (state === "crashed") {
    throw new VmsError("guest", `${about}: its guest crashed, and its definition keeps it for a look at its memory`, {
      hint: `Start it anew: vms start ${name}. Or end it: vms kill ${name}`,
    });
  }
  const runs = state !== "shut off";
  if (runs) await refuseOtherDisks(connection, uuid, xml, about);
  await refuseSharedDisks(connection, name, xml, about);
  for (const { file } of readWritableDisks(xml)) await requireWholeChain(file, runs, settings);
}

/** Whoever else writes to a disk that is to be frozen would write under the clones that stand on it, or lose it by its old name. */
async function refuseSharedDisks(connection: Connection, name: string, xml: string, about: string): Promise<void> {
  const users = (await listFileUsers(connection)).filter((user) => user.name !== name);
  for (const { target, file } of readWritableDisks(xml)) {
    const others = new Set<string>();
    for (const user of users) if (await isAnyOf(file, user.files)) others.add(user.name);
    if (others.size === 0) continue;
    throw new VmsError(
      "unsupported",
      `${about}: its disk ${target} (${file}) is a disk of ${[...others].join(", ")} too`,
      {
        hint: "Give each of them a disk of its own, and try again",
      },
    );
  }
}

/** Frozen is what it runs with, cloned is what it is defined as. */
async function refuseOtherDisks(connection: Connection, uuid: string, xml: string, about: string): Promise<void> {
  const list = (text: string): string => JSON.stringify(readDisks(text).map(({ target, file }) => [target, file]));
  if (list(xml) === list(await dumpRunning(connection, uuid))) return;
  throw new VmsError("unsupported", `${about}: its disks were changed by hand, and it still runs with the old ones`, {
    hint: "Power it off and start it, then try again",
  });
}

/** A missing or damaged file would make a clone that is damaged as well. What a running VM has open cannot be checked. */
async function requireWholeChain(top: string, runs: boolean, settings: Settings): Promise<void> {
  const chain = await backingChain(top);
  const below = chain.slice(1).find(({ path }) => dirname(path) === storePaths(settings).disk);
  // It goes with the source, and the clone would stand on it.
  if (below !== undefined) {
    throw new VmsError("unsupported", `its source's disk ${top} stands on ${below.path}, which is the source's own`, {
      hint: "A snapshot by hand does that. Merge it (virsh blockcommit), or: vms images --compact",
    });
  }
  const closed = runs ? chain.slice(1) : chain;
  for (const { path, format } of closed) if (format === "qcow2") await checkImage(path);
}
