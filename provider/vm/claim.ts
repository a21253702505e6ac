/** What there is of a VM before it is made: a ready one is taken over, what has no data any more goes. */
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { findDomain } from "../libvirt/domain.js";
import type { Owner } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { hasLostDisk } from "./lost-disk.js";
import { claimName, discardDomain, type OwnDomain, withVm } from "./ownership.js";

export interface CreateOptions {
  /** The UUID of a half-made VM that this call makes whole, or of one that has lost its disk. */
  readonly uuid?: string;
  /** Whether a ready VM of this very owner is taken over: one whose record was lost. Otherwise it is an error. */
  readonly takeOver?: boolean;
}

/** Returns the UUID of a ready VM that is taken over; undefined: there is none. The caller holds the lock of the name. */
export async function claimVm(
  { connection, name }: { readonly connection: Connection; readonly name: string },
  owner: Owner,
  context: Context,
  options: CreateOptions,
): Promise<string | undefined> {
  const recorded = options.uuid === undefined ? undefined : await findDomain(connection, options.uuid);
  const named = await claimName(connection, name, owner, context);
  if (recorded === undefined || recorded.name === name) {
    return named && takeOver(connection, named, owner, context, options);
  }
  if (named !== undefined) throw nameTaken(named);
  // Renamed by hand: its lock is that of its present name.
  return withVm(recorded.name, context, async () => {
    const ready = await claimName(connection, recorded.name, owner, context);
    return ready && takeOver(connection, ready, owner, context, options);
  });
}

async function takeOver(
  connection: Connection,
  ready: OwnDomain,
  owner: Owner,
  context: Context,
  { uuid, takeOver: allowed }: CreateOptions,
): Promise<string | undefined> {
  // Two resources of one stack, or two calls, must not both think that a VM is theirs. A record of it proves it.
  const isOurs = ready.uuid === uuid || (allowed === true && ready.mark.owner.label === owner.label);
  if (!isOurs) throw nameTaken(ready);
  if (await hasLostDisk(connection, ready, context)) {
    context.progress.notice(`Its disk ${ready.disks[0] ?? ""} is gone: it is made again, with nothing of its data`);
    await discardDomain(connection, ready, context);
    return undefined;
  }
  if (uuid === undefined) context.progress.notice("It was there already, made by this very resource: it is taken over");
  return ready.uuid;
}

function nameTaken(other: OwnDomain): VmsError {
  return new VmsError("foreign", `there is a VM of that name already; it belongs to ${other.mark.owner.label}`, {
    hint: "Give another name, or see what there is: vms list",
  });
}
