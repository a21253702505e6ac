/** The disk of a VM whose domain somebody has removed: no mark lists it any more, so it is never deleted, and said where it is. */
import type { Context } from "../context.js";
import { isVisible } from "../host/existence.js";
import { listDiskFiles } from "../libvirt/domain-files.js";
import type { Connection } from "../libvirt/virsh.js";

/** `path` is where the record says that its disk was. */
export async function tellLeftDisk(
  connection: Connection,
  name: string,
  path: unknown,
  context: Context,
): Promise<void> {
  if (typeof path !== "string" || !(await isVisible(path)) || (await listDiskFiles(connection)).named.has(path)) return;
  context.progress.notice(
    `The domain of ${JSON.stringify(name)} is gone, but its disk is left, and nothing removes it: ${path}`,
  );
}
