/** Which bases are in use, over all domains and headers, and the removal of those that are not. */
import type { Context } from "../context.js";
import { toVmsError } from "../errors.js";
import { withLock } from "../host/lock.js";
import { listDiskFiles } from "../libvirt/domain-files.js";
import type { Connection } from "../libvirt/virsh.js";
import { listBases, removeUnusedBases, storeLock } from "../storage/bases.js";

/**
 * Removes the bases that nobody stands on any more. What cannot be judged stays, and is only told. `removed` are the files of the VM
 * that is being deleted, which its definition still names.
 */
export async function sweepBases(
  connection: Connection,
  context: Context,
  removed: readonly string[] = [],
): Promise<void> {
  const { settings, signal } = context;
  if ((await listBases(settings)).length === 0) return;
  try {
    const sweep = async () => removeUnusedBases(settings, await listDiskFiles(connection), removed);
    await withLock(storeLock(settings), sweep, { signal });
  } catch (error) {
    context.progress.notice(
      `Frozen disks that nobody uses may be left, the next removal tries again: ${toVmsError(error).reason}`,
    );
  }
}
