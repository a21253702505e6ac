/** A user's snapshots and saved states of a VM: they remember its disks as they were, so that no disk can be frozen or rewritten under them. */
import { VmsError } from "../errors.js";
import { hasManagedSave, listSnapshots } from "../libvirt/domain.js";
import type { Connection } from "../libvirt/virsh.js";
import type { OwnDomain } from "./ownership.js";

/** `about` begins the sentence, such as "it cannot be cloned"; so in the next one. */
export async function refuseSnapshots(connection: Connection, uuid: string, about: string): Promise<void> {
  const snapshots = await listSnapshots(connection, uuid);
  if (snapshots.length === 0) return;
  throw new VmsError("unsupported", `${about}: it has snapshots (${snapshots.join(", ")}), which would be lost`, {
    hint: `Go back to one or delete them: virsh -c ${connection} snapshot-delete ${uuid} ${snapshots[0] ?? ""}`,
  });
}

export async function refuseSavedState(
  connection: Connection,
  { uuid, name }: Pick<OwnDomain, "uuid" | "name">,
  about: string,
): Promise<void> {
  if (await hasManagedSave(connection, uuid)) throw savedState(connection, name, about);
}

export function savedState(connection: Connection, id: string, about: string): VmsError {
  return new VmsError(
    "unsupported",
    `${about}: its memory was saved, and the saved state remembers the disk as it is`,
    {
      hint: `Start it, or throw the saved state away: virsh -c ${connection} managedsave-remove ${id}`,
    },
  );
}
