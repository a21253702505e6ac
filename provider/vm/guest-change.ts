/**
 * A change of what is inside a VM: settings, passwords, packages. Settings of a VM that is off wait for its next boot; for
 * passwords and packages it is started, and gracefully shut down again.
 */
import type { Context } from "../context.js";
import { toVmsError } from "../errors.js";
import { isOff } from "../libvirt/domain.js";
import type { Credentials } from "../libvirt/credentials.js";
import type { RunningVm } from "./change.js";
import { addPackages, isStillInstalling } from "./guest-packages.js";
import { type Passwords, setPasswords } from "./guest-passwords.js";
import { changeSettings, failedBehind, requireAgent } from "./guest-settings.js";
import { shutDown, startVm } from "./lifecycle.js";

export interface GuestChange {
  /** From what the VM is told now to what it is to be told. */
  settings(now: Credentials): Credentials;
  /** Those that change. */
  readonly passwords: Passwords;
  /** Those to be added. */
  readonly packages: readonly string[];
}

export interface ChangingVm extends RunningVm {
  /** In seconds. */
  readonly limits: RunningVm["limits"] & { readonly profile: number };
}

/** @param running whether it is to run in the end; undefined: as it did before */
export async function changeGuest(
  vm: ChangingVm,
  change: GuestChange,
  running: boolean | undefined,
  context: Context,
): Promise<void> {
  const { connection, uuid } = vm;
  const off = await isOff(connection, uuid);
  const inside = Object.keys(change.passwords).length > 0 || change.packages.length > 0;
  const settings = await changeSettings(connection, uuid, (now) => change.settings(now), !off);
  context.reached?.("change: settings set");
  if (!inside) return;
  if (!off) {
    await changeInside(vm, change, settings.changed, context);
    return;
  }
  const stays = running === true;
  context.progress.notice(
    `It is off and is started for the change of ${whatOf(change)}${stays ? "" : ", then shut down again"}`,
  );
  try {
    await startVm({ ...vm, limit: vm.limits.boot }, vm.acceleration, context);
  } catch (error) {
    await settings.takeBack();
    await stopAgain(vm, context);
    throw error;
  }
  try {
    await changeInside(vm, change, settings.changed, context);
  } catch (error) {
    if (!stays && !isStillInstalling(error)) await stopAgain(vm, context);
    throw error;
  }
  if (!stays) await shutDown(connection, uuid, vm.limits.shutdown, context);
}

function whatOf({ passwords, packages }: GuestChange): string {
  return [
    ...(Object.keys(passwords).length > 0 ? ["passwords"] : []),
    ...(packages.length > 0 ? ["packages"] : []),
  ].join(" and ");
}

async function changeInside(
  vm: ChangingVm,
  { passwords, packages }: GuestChange,
  changed: readonly string[],
  context: Context,
): Promise<void> {
  const done = [...changed];
  try {
    await requireAgent(vm.connection, vm.uuid);
    await setPasswords(vm.connection, vm.uuid, passwords);
    done.push(...Object.keys(passwords).map((user) => `the password of ${user}`));
    context.reached?.("change: passwords set");
    if (packages.length > 0) await addPackages(vm.connection, vm.uuid, packages, vm.limits.profile, context);
    context.reached?.("change: packages added");
  } catch (error) {
    throw failedBehind(done, error);
  }
}

/** After a failure, which matters more: what cannot be shut down is only told. */
async function stopAgain(vm: ChangingVm, context: Context): Promise<void> {
  try {
    await shutDown(vm.connection, vm.uuid, vm.limits.shutdown, context);
  } catch (error) {
    context.progress.notice(`It was off before and could not be shut down again: ${toVmsError(error).reason}`);
  }
}
