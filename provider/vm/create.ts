/**
 * A VM from nothing to ready. Each step can be interrupted: what is there by then bears our mark, and the next call under the
 * same name and owner removes it and begins again.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "../context.js";
import { cannot, hasCode, VmsError } from "../errors.js";
import { detectAcceleration } from "../host/acceleration.js";
import { Deadline, poll } from "../host/deadline.js";
import { limitsOf } from "../install/steps.js";
import { defineDomain, setMark } from "../libvirt/domain.js";
import { domainXml, randomMac } from "../libvirt/domain-xml.js";
import { nvramTemplate } from "../libvirt/firmware.js";
import { setPasswordHash } from "../libvirt/guest-agent.js";
import type { Mark, Owner } from "../libvirt/mark.js";
import { virsh } from "../libvirt/virsh.js";
import type { Image } from "../storage/image-store.js";
import { createOverlay } from "../storage/qemu-img.js";
import { parseSize } from "../storage/size.js";
import {
  checkStore,
  consoleLogPath,
  createConsoleLog,
  createNvram,
  newDiskPath,
  newNvramPath,
} from "../storage/store.js";
import type { RunningVm } from "./change.js";
import { HalfMadeError } from "./half-made.js";
import { ensureImage } from "./image.js";
import { credentialsOf } from "./identity.js";
import { checkNetwork, shutDown, startVm } from "./lifecycle.js";
import { sweepInstalls } from "./install-leftovers.js";
import { claimName, type OwnDomain, withVm } from "./ownership.js";
import type { VmSpec } from "./spec.js";

export interface CreateOptions {
  /** The UUID of a half-made VM that this call makes whole. */
  readonly uuid?: string;
  /** Whether a ready VM of this very owner is taken over: one whose record was lost. Otherwise it is an error. */
  readonly takeOver?: boolean;
}

export interface Created {
  readonly uuid: string;
  /** It was ready already, and may not be what the spec says. */
  readonly takenOver: boolean;
}

/**
 * Makes the VM, or finishes what an interrupted call began; one that is ready already is left as it is.
 * Throws VmsError; a HalfMadeError where a domain is there by then.
 */
export async function createVm(
  spec: VmSpec,
  owner: Owner,
  context: Context,
  options: CreateOptions = {},
): Promise<Created> {
  let defined: string | undefined;
  try {
    await checkStore(spec.settings);
    await sweepInstalls(spec.connection, context);
    return await withVm(spec.name, context, async () => {
      const ready = await claimName(spec.connection, spec.name, owner, context);
      context.reached?.("create: claimed");
      if (ready !== undefined) return { uuid: mayTakeOver(ready, owner, options), takenOver: true };
      await checkNetwork(spec.connection, spec.network);
      const image = await ensureImage(spec, context);
      context.reached?.("create: image found");
      const uuid = options.uuid ?? randomUUID();
      await makeVm(spec, uuid, image, owner, context, () => (defined = uuid));
      return { uuid, takenOver: false };
    });
  } catch (error) {
    const failure = cannot("create", "VM", spec.name, error);
    throw defined === undefined ? failure : new HalfMadeError(defined, failure);
  }
}

/** Two resources of one stack, or two calls, must not both think that a VM is theirs. */
export function mayTakeOver(ready: OwnDomain, owner: Owner, options: CreateOptions): string {
  if (options.takeOver === true && ready.mark.owner.label === owner.label) return ready.uuid;
  throw new VmsError("foreign", `there is a VM of that name already; it belongs to ${ready.mark.owner.label}`, {
    hint: "Give another name, or see what there is: vms list",
  });
}

async function makeVm(
  spec: VmSpec,
  uuid: string,
  image: Image,
  owner: Owner,
  context: Context,
  onDefined: () => void,
): Promise<void> {
  const { settings, connection } = spec;
  const { acceleration } = await detectAcceleration({ root: "/" }, spec.acceleration);
  const disk = newDiskPath(settings);
  const nvram = newNvramPath(settings);
  const consoleLog = consoleLogPath(settings, spec.name);
  const mark: Mark = {
    owner,
    phase: "creating",
    profile: spec.profile,
    image: image.key,
    files: [disk, nvram, consoleLog],
  };
  const xml = domainXml({
    ...spec,
    uuid,
    mark,
    acceleration,
    mac: randomMac(),
    network: spec.network === "user" ? undefined : spec.network,
    disk,
    nvram,
    consoleLog,
    display: true,
    credentials: credentialsOf(spec, uuid),
  });
  // The definition is first: from here on every file has an owner.
  await defineDomain(connection, xml);
  onDefined();
  context.reached?.("create: defined");
  await createOverlay(disk, image.path, parseSize(spec.disk));
  context.reached?.("create: overlay made");
  await createNvram(nvram, await nvramTemplate());
  context.reached?.("create: nvram made");
  await createConsoleLog(consoleLog);
  context.reached?.("create: log made");
  await bootFirst(spec, { connection, uuid, consoleLog, acceleration }, context);
  if (spec.autostart) await virsh(connection, ["autostart", uuid]);
  context.reached?.("create: autostart set");
  await setMark(connection, uuid, { ...mark, phase: "ready" });
  context.reached?.("create: marked ready");
}

/** The first boot, where something needs it now: the identity is in the definition, and is taken on whenever that boot comes. */
async function bootFirst(spec: VmSpec, vm: Omit<RunningVm, "limits">, context: Context): Promise<void> {
  const hasPasswords = (spec.password ?? spec.rootPassword) !== undefined;
  if (spec.running === false && !hasPasswords) {
    context.progress.phase("leaving it off: it takes its identity on when it is first started");
    return;
  }
  const limits = limitsOf(vm.acceleration, spec.timeouts);
  await startVm({ ...vm, limit: limits.boot }, vm.acceleration, context);
  await setPasswords(spec, vm.uuid);
  context.reached?.("create: passwords set");
  if (spec.running !== false) return;
  context.progress.phase("stopping: its passwords are set, and it is not to run");
  await shutDown(vm.connection, vm.uuid, limits.shutdown, context);
}

async function setPasswords(spec: VmSpec, uuid: string): Promise<void> {
  const passwords = { [spec.user]: spec.password, root: spec.rootPassword };
  for (const [user, hash] of Object.entries(passwords)) {
    if (hash === undefined) continue;
    // Under load the agent may take longer than libvirt waits for it.
    const set = await poll(() => trySetPassword(spec.connection, uuid, user, hash), {
      deadline: new Deadline(passwordSeconds),
    });
    if (set === undefined) await setPasswordHash(spec.connection, uuid, user, hash);
  }
}

const passwordSeconds = 60;

async function trySetPassword(connection: string, uuid: string, user: string, hash: string): Promise<true | undefined> {
  try {
    await setPasswordHash(connection, uuid, user, hash);
    return true;
  } catch (error) {
    if (hasCode(error, "command")) return undefined;
    throw error;
  }
}
