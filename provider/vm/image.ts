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
  const { iso, layers } = await planImage(spec, context);
  return ensureLayer(spec, layers, iso, context);
}

/** The images below are made before the lock of this one is taken: nobody waits for a lock while holding another one. */
async function ensureLayer(spec: VmSpec, layers: readonly Layer[], iso: Iso, context: Context): Promise<Image> {
  const [layer, below] = [layers[layers.length - 1], layers.slice(0, -1)];
  if (layer === undefined) throw new Error("there is no image without a layer");
  const found = await findImage(spec.settings, layer.key);
  if (found !== undefined) return found;
  const base = below.length === 0 ? undefined : await ensureBase(spec, layer, below, iso, context);
  return withLock(
    imageLock(spec.settings, layer.key),
    async () =>
      (await findImage(spec.settings, layer.key)) ?? (await makeImage({ spec, layers: [layer], iso, base }, context)),
    {
      signal: context.signal,
      onWait: () => {
        context.progress.phase(`waiting: the image of the profile ${layer.profile.name} is being made already`);
      },
    },
  );
}

async function ensureBase(
  spec: VmSpec,
  { profile }: Layer,
  below: readonly Layer[],
  iso: Iso,
  context: Context,
): Promise<Image> {
  try {
    return await ensureLayer(spec, below, iso, context);
  } catch (error) {
    const { code, reason, hint } = toVmsError(error);
    // Each level adds its words to those of the level below.
    throw code === "cancelled"
      ? error
      : new VmsError(code, `the image of the profile ${String(profile.base)}: ${reason}`, { hint, cause: error });
  }
}
