/** `fresh: true`: a disk that stands on no image. An install of its own is made on it, also where the recipe's image is there,
 * with the scripts of all profiles that its own is made on. */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Context } from "../context.js";
import { withLock } from "../host/lock.js";
import { resizeDisk } from "../storage/qemu-img.js";
import { parseSize } from "../storage/size.js";
import { planImage } from "./image-plan.js";
import { installSystem } from "./install-image.js";
import { imageLock } from "./install-leftovers.js";
import type { VmSpec } from "./spec.js";

/**
 * Installs on the disk and grows it to its size. `define` makes the VM's domain when the system is whole: until then the disk
 * belongs to the install and goes with it, from then on to the VM. Throws before that with nothing left.
 */
export async function installDisk<T>(
  spec: VmSpec,
  disk: string,
  context: Context,
  define: (image: string) => Promise<T>,
): Promise<T> {
  const { iso, layer } = await planImage(spec, context);
  // An install of this disk alone, told apart from that of the image and of every other disk.
  const own = createHash("sha256")
    .update(`${layer.key} ${basename(disk)}`)
    .digest("hex");
  const defined = await withLock(imageLock(spec.settings, own), () =>
    installSystem({ spec, iso, layer, base: undefined }, own, context, {
      disk,
      keepsDisk: true,
      deliver: async (_disk, removeLog) => {
        await removeLog();
        return define("");
      },
    }),
  );
  await resizeDisk(disk, parseSize(spec.disk));
  return defined;
}
