/** What a VM's inputs mean for its guest: the change that provider/vm/guest-change.ts carries out. */
import { changedPackages, guestInputs } from "./guest-change-words.js";
import type { GuestChange } from "./vm/guest-change.js";
import type { Passwords } from "./vm/guest-passwords.js";
import { cloneCredentials, credentialsOf, givenPasswords } from "./vm/identity.js";
import type { CloneSpec, VmSpec } from "./vm/spec.js";

/**
 * undefined: nothing that is inside of it changes.
 *
 * @param olds what the VM was last; undefined where nobody knows, as of a VM that is taken over: then its passwords that the
 *   program does not give stay, and packages are installed only where they are missing
 */
export function guestChangeOf(
  spec: VmSpec | CloneSpec,
  uuid: string,
  olds: Readonly<Record<string, unknown>> | undefined,
  changed: readonly string[],
): GuestChange | undefined {
  if (olds !== undefined && !changed.some((name) => guestInputs.includes(name))) return undefined;
  // The rest of a clone's settings are its source's, and not the program's to say.
  if ("source" in spec) return { settings: (now) => cloneCredentials(now, spec, uuid), passwords: {}, packages: [] };
  return {
    settings: () => credentialsOf(spec, uuid),
    passwords: olds === undefined ? givenPasswords(spec) : changedPasswords(spec, changed),
    packages: changedPackages(olds ?? {}, { ...spec }).added,
  };
}

function changedPasswords(spec: VmSpec, changed: readonly string[]): Passwords {
  return {
    ...(changed.includes("password") ? { [spec.user]: spec.password ?? null } : {}),
    ...(changed.includes("rootPassword") ? { root: spec.rootPassword ?? null } : {}),
  };
}
