/** Deleting a VM: the domain and every file that is its own, and nothing else. */
import type { Context } from "../context.js";
import { cannot } from "../errors.js";
import { findDomain } from "../libvirt/domain.js";
import type { Owner } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { discardDomain, requireOwn, withVm } from "./ownership.js";

/** By name or UUID. Returns false where there is no such domain. Throws VmsError (foreign) where it is not this owner's. */
export async function removeVm(connection: Connection, id: string, owner: Owner, context: Context): Promise<boolean> {
  try {
    const found = await findDomain(connection, id);
    if (found === undefined) return false;
    requireOwn(found, owner);
    return await withVm(found.name, context, async () => {
      const current = await findDomain(connection, found.uuid);
      if (current === undefined) return false;
      context.progress.phase("removing");
      await discardDomain(connection, requireOwn(current, owner), context);
      return true;
    });
  } catch (error) {
    throw cannot("delete", "VM", id, error);
  }
}
