/** The golden image of a recipe: taken where it is, else made by an install. */
import { createHash } from "node:crypto";
import type { Context } from "../context.js";
import { withLock } from "../host/lock.js";
import { hashScripts } from "../install/payload.js";
import { findImage, type Image, type Recipe } from "../storage/image-store.js";
import { ensureIso, type Iso } from "../storage/iso.js";
import { makeImage } from "./install-image.js";
import { imageLock } from "./install-leftovers.js";
import { imageCapacity, type VmSpec } from "./spec.js";

/** Returns the image of the VM's recipe, made now where there is none; of several callers one makes it and the others wait. */
export async function ensureImage(spec: VmSpec, context: Context): Promise<Image> {
  const { iso, recipe, key } = await identifyImage(spec, context);
  const found = await findImage(spec.settings, key);
  if (found !== undefined) return found;
  return withLock(
    imageLock(spec.settings, key),
    async () => (await findImage(spec.settings, key)) ?? (await makeImage(spec, key, recipe, iso, context)),
    {
      signal: context.signal,
      onWait: () => {
        context.progress.phase("waiting: the same image is being installed already");
      },
    },
  );
}

/** What the VM's image is made from, and the key that it is found by. */
export async function identifyImage(
  spec: VmSpec,
  context: Context,
): Promise<{ iso: Iso; recipe: Recipe; key: string }> {
  const iso = await ensureIso(spec.iso, context);
  const recipe = await recipeOf(spec, iso);
  return { iso, recipe, key: hashOf(recipe) };
}

async function recipeOf(spec: VmSpec, iso: Iso): Promise<Recipe> {
  return {
    iso: iso.sha256,
    mirror: spec.mirror ?? "",
    profile: spec.profile,
    packages: spec.packages,
    guest: await hashScripts(),
    capacity: imageCapacity,
  };
}

function hashOf(recipe: Recipe): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}
