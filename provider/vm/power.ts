/** Powering a VM on and off at a user's word, whoever of us made it. Each says what it found and what it did. */
import type { Context } from "../context.js";
import { cannot, VmsError } from "../errors.js";
import { limitsOf } from "../install/steps.js";
import { type DomainState, domainState, hasManagedSave } from "../libvirt/domain.js";
import type { Owner } from "../libvirt/mark.js";
import { killDomain, startDomain } from "../libvirt/power.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { consoleLogOf } from "./describe.js";
import { askToPowerOff, startVm } from "./lifecycle.js";
import { findNamed, requireWhole } from "./named.js";
import { type OwnDomain, withVm } from "./ownership.js";
import { awaitReady, type Booting } from "./ready.js";

interface Powered<Outcome> {
  readonly outcome: Outcome;
  readonly name: string;
  readonly uuid: string;
  readonly owner: Owner;
}

export type On = "started" | "restored" | "resumed" | "woken up" | "crashed before" | "running already";

/** Starts what is off, and lets go on what is paused. `wait`: until it is ready, which takes a boot. */
export async function powerOn(
  connection: Connection,
  name: string,
  wait: boolean,
  context: Context,
): Promise<Powered<On>> {
  return withWhole("start", connection, name, context, async (vm) => {
    const { uuid, acceleration } = vm;
    const { state, reason } = await domainState(connection, uuid);
    const limit = limitsOf(acceleration).boot;
    const guest: Booting = { connection, uuid, consoleLog: consoleLogOf(vm), limit, mayLackIdentity: true };
    if (state === "shut off" || state === "crashed") {
      const outcome = await whatStarts(connection, uuid, state, reason);
      // What is kept of it for a look at its memory stands in the way of a start.
      await killDomain(connection, uuid);
      if (wait) await startVm(guest, acceleration, context);
      else await start(connection, vm, context);
      return outcome;
    }
    const outcome = await goOn(connection, vm, state, context);
    if (wait) {
      context.progress.phase("waiting until it is ready");
      await awaitReady(guest, context);
    }
    return outcome;
  });
}

async function start(connection: Connection, { uuid, name }: OwnDomain, context: Context): Promise<void> {
  context.progress.phase(`starting ${name}`);
  await startDomain(connection, uuid, context);
}

async function whatStarts(connection: Connection, uuid: string, state: DomainState, reason: string): Promise<On> {
  if (state === "crashed" || reason === "crashed") return "crashed before";
  return (await hasManagedSave(connection, uuid)) ? "restored" : "started";
}

async function goOn(
  connection: Connection,
  { uuid, name }: OwnDomain,
  state: DomainState,
  context: Context,
): Promise<On> {
  if (state === "in shutdown") {
    throw new VmsError("busy", "it is shutting down", {
      hint: `Start it when it is off, or force it off: vms kill ${name}`,
    });
  }
  if (state !== "paused" && state !== "pmsuspended") return "running already";
  context.progress.phase(`letting ${name} go on`);
  await virsh(connection, [state === "paused" ? "resume" : "dompmwakeup", uuid], { signal: context.signal });
  const now = await domainState(connection, uuid);
  if (now.state === "paused" && now.reason === "I/O error") {
    throw new VmsError("guest", "its disk cannot be written, and libvirt paused it again", {
      hint: `The host's disk may be full: make room (df -h), then: vms start ${name}`,
    });
  }
  return state === "paused" ? "resumed" : "woken up";
}

type Off = { readonly by: string } | "off already";

/** Asks the guest to power off and waits for it, `seconds` long; never forces it. */
export async function powerOff(
  connection: Connection,
  name: string,
  seconds: number | undefined,
  context: Context,
): Promise<Powered<Off>> {
  return withWhole("stop", connection, name, context, async (vm) => {
    const { state } = await domainState(connection, vm.uuid);
    if (state === "shut off") return "off already";
    const kill = `vms kill ${vm.name}`;
    if (state === "crashed") {
      throw new VmsError("guest", "its guest crashed and cannot power off", { hint: `Force it off: ${kill}` });
    }
    if (state === "paused" || state === "pmsuspended") {
      throw new VmsError("guest", "it is paused, and a guest that is paused cannot power off", {
        hint: `Let it go on: vms start ${vm.name}. Or force it off: ${kill}`,
      });
    }
    const grace = seconds ?? limitsOf(vm.acceleration).shutdown;
    context.progress.phase(`stopping ${vm.name} (it has ${grace} s)`);
    const { off, by } = await askToPowerOff(connection, vm.uuid, grace, context);
    if (off) return { by };
    throw new VmsError("guest", `the guest did not power off within ${grace} s (asked by ${by})`, {
      hint: `Look at its console: vms console ${vm.name}. More time: --timeout SECONDS. Or force it off: ${kill}`,
    });
  });
}

/** Off at once, as by pulling the plug. Waits for nobody else who works on the VM: it is the way out where something hangs. */
export async function forceOff(connection: Connection, name: string): Promise<Powered<"forced off" | "off already">> {
  return reported("kill", name, async () => {
    const vm = await findNamed(connection, name);
    requireWhole(vm);
    const outcome = (await killDomain(connection, vm.uuid)) ? "forced off" : "off already";
    return { ...vm, outcome, owner: vm.mark.owner };
  });
}

/** While nobody else works on it. */
async function withWhole<T>(
  verb: string,
  connection: Connection,
  name: string,
  context: Context,
  work: (vm: OwnDomain) => Promise<T>,
): Promise<Powered<T>> {
  return reported(verb, name, async () => {
    const found = await findNamed(connection, name);
    requireWhole(found);
    return withVm(found.name, context, async () => {
      // Somebody may have changed it before we had the lock.
      const vm = await findNamed(connection, found.uuid);
      requireWhole(vm);
      return { ...vm, outcome: await work(vm), owner: vm.mark.owner };
    });
  });
}

async function reported<T>(verb: string, name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw cannot(verb, "VM", name, error);
  }
}
