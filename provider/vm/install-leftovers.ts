/** The domains in which images are made: whose they are, and what becomes of those that an interrupted install left. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Context } from "../context.js";
import { toVmsError } from "../errors.js";
import { tryLock } from "../host/lock.js";
import { findDomain, listDomains } from "../libvirt/domain.js";
import { isGone } from "../libvirt/dump.js";
import type { Owner } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { storePaths } from "../paths.js";
import type { Settings } from "../settings.js";
import { isOwnPlace } from "../storage/store.js";
import { discardDomain, requireOwn } from "./ownership.js";

/** Images belong to nobody in particular: every stack and the command line use them. */
export const imageOwner: Owner = { id: "image", label: "the making of an image" };

/** A store of its own has an install of its own, also of the same recipe. */
export function installName(settings: Settings, key: string): string {
  const store = createHash("sha256").update(storePaths(settings).root).digest("hex");
  return `vms-image-${key.slice(0, 12)}-${store.slice(0, 6)}`;
}

/** Held while the image is made. */
export function imageLock(settings: Settings, key: string): string {
  return join(storePaths(settings).lock, `image-${key.slice(0, 16)}`);
}

/** Removes the install domains of this store that nobody works on: an install that was killed runs on for ever. */
export async function sweepInstalls(connection: Connection, context: Context): Promise<void> {
  for (const { uuid, name, mark } of await listDomains(connection)) {
    if (mark?.owner.id !== imageOwner.id || !mark.files.every((path) => isOwnPlace(context.settings, path))) continue;
    const lock = await tryLock(imageLock(context.settings, mark.image));
    if (lock === undefined) continue;
    try {
      context.progress.phase(`removing what an interrupted install left (${name})`);
      await discardInstall(connection, uuid, context);
    } finally {
      await lock.release();
    }
  }
}

/** What cannot be removed now is only told: it is marked, and the next VM that is made removes it. */
export async function discardInstall(connection: Connection, uuid: string, context: Context): Promise<void> {
  let files: readonly string[] = [];
  try {
    const domain = await findDomain(connection, uuid);
    if (domain === undefined) return;
    files = domain.mark?.files ?? [];
    await discardDomain(connection, requireOwn(domain, imageOwner), context);
  } catch (error) {
    if (await isGone(connection, uuid, error)) {
      context.progress.notice(
        `The domain ${uuid} of an install was removed by hand; what was its own may be left: ${files.join(", ")}`,
      );
      return;
    }
    context.progress.notice(
      `The domain ${uuid} of an install could not be removed, the next VM that is made removes it: ${toVmsError(error).reason}`,
    );
  }
}
