/** What a VM's image is made of: by an install from the medium, or on the image of the profile that its own is made on. */
import { createHash } from "node:crypto";
import type { Context } from "../context.js";
import { hashScripts } from "../install/payload.js";
import { hashOfScript, type Profile, readProfiles } from "../install/profile.js";
import type { Recipe } from "../storage/image-store.js";
import { ensureIso, type Iso } from "../storage/iso.js";
import { imageCapacity, type VmSpec } from "./spec.js";

export interface ImagePlan {
  readonly iso: Iso;
  /** The image that the VM's disk stands on. */
  readonly layer: Layer;
}

/** An image, and the one that it is made on. */
export interface Layer {
  /** What it is found by. It knows all that is below. */
  readonly key: string;
  readonly recipe: Recipe;
  readonly profile: Profile;
  readonly below: Layer | undefined;
}

export async function planImage(spec: VmSpec, context: Context): Promise<ImagePlan> {
  const { top, below: lower } = readProfiles(spec.profile);
  const [iso, guest] = await Promise.all([ensureIso(spec.iso, context), hashScripts()]);
  const plan = (profile: Profile, packages: readonly string[], below?: Layer): Layer => {
    const recipe: Recipe = {
      iso: iso.sha256,
      mirror: spec.mirror ?? "",
      profile: profile.name,
      packages,
      guest,
      capacity: imageCapacity,
      script: hashOfScript(profile),
      ...(below === undefined ? {} : { base: below.key }),
    };
    return { key: keyOf(recipe, profile), recipe, profile, below };
  };
  // What one VM wants besides is in its own image only: the images below are everybody's.
  const below = lower.reduce<Layer | undefined>((layer, profile) => plan(profile, [], layer), undefined);
  return { iso, layer: plan(top, spec.packages, below) };
}

/** The profiles whose scripts make the image out of a bare system, in their order. */
export function profilesOf({ profile, below }: Layer): Profile[] {
  return below === undefined ? [profile] : [...profilesOf(below), profile];
}

/** Of a script of a user's own the content counts, and not where it lies. */
function keyOf(recipe: Recipe, { own }: Profile): string {
  const counts = own ? { ...recipe, profile: "" } : recipe;
  return createHash("sha256").update(JSON.stringify(counts)).digest("hex");
}
