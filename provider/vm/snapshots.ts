/** A user's snapshots of a VM: they remember its disks as they were, so that a disk cannot be frozen or rewritten under them. */
import { VmsError } from "../errors.js";
import { listSnapshots } from "../libvirt/domain.js";
import type { Connection } from "../libvirt/virsh.js";

/** `about` begins the sentence, such as "it cannot be cloned". */
export async function refuseSnapshots(connection: Connection, uuid: string, about: string): Promise<void> {
  const snapshots = await listSnapshots(connection, uuid);
  if (snapshots.length === 0) return;
  throw new VmsError("unsupported", `${about}: it has snapshots (${snapshots.join(", ")}), which would be lost`, {
    hint: `Go back to one or delete them: virsh -c ${connection} snapshot-delete ${uuid} ${snapshots[0] ?? ""}`,
  });
}
