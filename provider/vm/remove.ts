/** Deleting a VM: the domain and every file that is its own, and nothing else. */
import type { Context } from "../context.js";
import { cannot } from "../errors.js";
import { limitsOf } from "../install/steps.js";
import { isGone } from "../libvirt/dump.js";
import { findDomain } from "../libvirt/domain.js";
import type { Owner } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { sweepInstalls } from "./install-leftovers.js";
import { discardDomain, type OwnDomain, requireOwn, requireOwnOrLeftover, withVm } from "./ownership.js";

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
  const discard = async (own: OwnDomain, removal: number): Promise<boolean> => {
    try {
      await discardDomain(connection, own, context, removal);
      return true;
    } catch (error) {
      // Somebody has undefined it meanwhile. What is left of it may be why.
      if (await isGone(connection, own.uuid, error)) return false;
      throw error;
    }
  };
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
      return await discard({ ...own, mark: { ...own.mark, files } }, removal);
    });
  } catch (error) {
    throw cannot("delete", "VM", name, error);
  }
}
