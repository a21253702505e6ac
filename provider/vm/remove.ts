/** Deleting a VM: the domain and every file that is its own, and nothing else. */
import type { Context } from "../context.js";
import { cannot } from "../errors.js";
import { limitsOf } from "../install/steps.js";
import { orWhereGone } from "../libvirt/dump.js";
import { findDomain } from "../libvirt/domain.js";
import type { Owner } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { sweepInstalls } from "./install-leftovers.js";
import { discardDomain, requireOwn, requireOwnOrLeftover, withVm } from "./ownership.js";

export interface RemoveOptions {
  /** Leaves the console's log: an error points to it. */
  readonly keepLog?: boolean;
  /** Removes what an interrupted run left, whoever began it. */
  readonly leftovers?: boolean;
  /** In seconds: the time that a VM which runs has to power off before it is forced off. Without it, it depends on the acceleration. */
  readonly shutdown?: number | undefined;
}

/** By name or UUID. Returns false where there is no such domain. Throws VmsError (foreign) where it is not this owner's. */
export async function removeVm(
  connection: Connection,
  id: string,
  owner: Owner,
  context: Context,
  options: RemoveOptions = {},
): Promise<boolean> {
  let name = id;
  try {
    await sweepInstalls(connection, context);
    const found = await findDomain(connection, id);
    if (found === undefined) return false;
    name = found.name;
    const claim = options.leftovers === true ? requireOwnOrLeftover : requireOwn;
    claim(found, owner);
    return await withVm(found.name, context, async () => {
      const current = await findDomain(connection, found.uuid);
      if (current === undefined) return false;
      const own = claim(current, owner);
      if (own.mark.phase !== "ready") context.progress.phase("removing");
      const files = own.mark.files.filter((path) => options.keepLog !== true || !path.endsWith(".log"));
      const { removal } = limitsOf(own.acceleration, { shutdown: options.shutdown });
      const discard = async (): Promise<boolean> => {
        await discardDomain(connection, { ...own, mark: { ...own.mark, files } }, context, removal);
        return true;
      };
      // Somebody may undefine it meanwhile. What is left of it then may be why.
      return orWhereGone(connection, own.uuid, discard, false);
    });
  } catch (error) {
    throw cannot("delete", "VM", name, error);
  }
}
