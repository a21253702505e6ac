/** The disk of a VM whose domain somebody has removed: no mark lists it any more, so it is never deleted, and said where it is. */
import { access } from "node:fs/promises";
import type { Context } from "../context.js";
import { listDiskFiles } from "../libvirt/domain-files.js";
import type { Connection } from "../libvirt/virsh.js";

/** `path` is where the record says that its disk was. */
export async function tellLeftDisk(
  connection: Connection,
  name: string,
  path: unknown,
  context: Context,
): Promise<void> {
  if (typeof path !== "string" || !(await exists(path)) || (await listDiskFiles(connection)).has(path)) return;
  context.progress.notice(
    `The domain of ${JSON.stringify(name)} is gone, but its disk is left, and nothing removes it: ${path}`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    // What is not there, or where we may not look, is nothing to tell of.
    () => false,
  );
}
