/** The golden image of a recipe: taken where it is, else made by an install, on the image of another profile where its own says so. */
import type { Context } from "../context.js";
import { toVmsError, VmsError } from "../errors.js";
import { withLock } from "../host/lock.js";
import { findImage, type Image } from "../storage/image-store.js";
import type { Iso } from "../storage/iso.js";
import { type Layer, planImage } from "./image-plan.js";
import { makeImage } from "./install-image.js";
import { imageLock } from "./install-leftovers.js";
import type { VmSpec } from "./spec.js";

/** Returns the image of the VM's recipe, made now where there is none; of several callers one makes it and the others wait. */
export async function ensureImage(spec: VmSpec, context: Context): Promise<Image> {
  const { iso, layer } = await planImage(spec, context);
  return ensureLayer(spec, layer, iso, context);
}

/** The image below is made before the lock of this one is taken: nobody waits for a lock of an image while holding another one. */
async function ensureLayer(spec: VmSpec, layer: Layer, iso: Iso, context: Context): Promise<Image> {
  const { key, profile, below } = layer;
  const find = () => findImage(spec.settings, key);
  const found = await find();
  if (found !== undefined) return found;
  const base = below === undefined ? undefined : await ensureBelow(spec, below, iso, context);
  return withLock(
    imageLock(spec.settings, key),
    async () => (await find()) ?? (await makeImage({ spec, iso, layer, base }, context)),
    {
      signal: context.signal,
      onWait: () => {
        context.progress.phase(`waiting: the image of the profile ${profile.name} is being made already`);
      },
    },
  );
}

async function ensureBelow(spec: VmSpec, below: Layer, iso: Iso, context: Context): Promise<Image> {
  try {
    return await ensureLayer(spec, below, iso, context);
  } catch (error) {
    const { code, reason, hint } = toVmsError(error);
    if (code === "cancelled") throw error;
    throw new VmsError(code, `the image of the profile ${below.profile.name}: ${reason}`, { hint, cause: error });
  }
}
