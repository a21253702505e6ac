/** What a VM's image is made of: by an install from the medium, or on the image of the profile that its own is made on. */
import { createHash } from "node:crypto";
import type { Context } from "../context.js";
import { hashScripts } from "../install/payload.js";
import { hashOfScript, type Profile, readProfiles } from "../install/profile.js";
import type { Recipe } from "../storage/image-store.js";
import { ensureIso, type Iso } from "../storage/iso.js";
import { imageCapacity, type VmSpec } from "./spec.js";

/** Images that stand on one another, of which the last is the VM's. */
export interface ImagePlan {
  readonly iso: Iso;
  readonly layers: readonly [...Layer[], Layer];
}

export interface Layer {
  /** What the image is found by. It knows all that is below. */
  readonly key: string;
  readonly recipe: Recipe;
  readonly profile: Profile;
}

export async function planImage(spec: VmSpec, context: Context): Promise<ImagePlan> {
  const profiles = readProfiles(spec.profile);
  const [iso, guest] = await Promise.all([ensureIso(spec.iso, context), hashScripts()]);
  const layers: Layer[] = [];
  for (const profile of profiles) {
    const base = layers.at(-1)?.key;
    const recipe: Recipe = {
      iso: iso.sha256,
      mirror: spec.mirror ?? "",
      profile: profile.name,
      // What one VM wants besides is in its own image only: the images below are everybody's.
      packages: layers.length === profiles.length - 1 ? spec.packages : [],
      guest,
      capacity: imageCapacity,
      script: hashOfScript(profile),
      ...(base === undefined ? {} : { base }),
    };
    layers.push({ key: keyOf(recipe, profile), recipe, profile });
  }
  return { iso, layers: layers as [...Layer[], Layer] };
}

/** Of a script of a user's own the content counts, and not where it lies. */
function keyOf(recipe: Recipe, { own }: Profile): string {
  const counts = own ? { ...recipe, profile: "" } : recipe;
  return createHash("sha256").update(JSON.stringify(counts)).digest("hex");
}

/** The image that the VM's disk stands on. */
export const topOf = ({ layers }: Pick<ImagePlan, "layers">): Layer => layers[layers.length - 1] ?? layers[0];
