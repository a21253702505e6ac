/**
 * A VM from nothing to ready. Each step can be interrupted: what is there by then bears our mark, and the next call under the
 * same name and owner removes it and begins again.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "../context.js";
import { cannot } from "../errors.js";
import { detectAcceleration } from "../host/acceleration.js";
import { limitsOf } from "../install/steps.js";
import { defineDomain, setMark } from "../libvirt/domain.js";
import { domainXml, randomMac } from "../libvirt/domain-xml.js";
import { nvramTemplate } from "../libvirt/firmware.js";
import type { Mark, Owner } from "../libvirt/mark.js";
import { replaceShares } from "../libvirt/shares-edit.js";
import { virsh } from "../libvirt/virsh.js";
import { createOverlay } from "../storage/qemu-img.js";
import { parseSize } from "../storage/size.js";
import { checkStore, createConsoleLog, createNvram, newDiskPath, newNvramPath } from "../storage/store.js";
import { findAdoptable } from "./adopt.js";
import type { RunningVm } from "./change.js";
import { claimVm, type CreateOptions } from "./claim.js";
import { installDisk } from "./fresh.js";
import { setPasswords } from "./guest-passwords.js";
import { revise } from "./guest-settings.js";
import { HalfMadeError } from "./half-made.js";
import { ensureImage } from "./image.js";
import { credentialsOf, givenPasswords } from "./identity.js";
import { checkNetwork, shutDown, startVm } from "./lifecycle.js";
import { sweepInstalls } from "./install-leftovers.js";
import { newConsoleLog } from "./own-log.js";
import { withVm } from "./ownership.js";
import { checkShares } from "./shares.js";
import type { VmSpec } from "./spec.js";

export interface Created {
  readonly uuid: string;
  /** It was ready already, and may not be what the spec says. */
  readonly takenOver: boolean;
  /** It is the command line's still: whoever has made it what the spec says hands it over. */
  readonly adopted?: boolean;
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
      const adoptable = await findAdoptable(spec, owner);
      if (adoptable !== undefined) return { uuid: adoptable.uuid, takenOver: true, adopted: true };
      const ready = await claimVm(spec, owner, context, options);
      context.reached?.("create: claimed");
      if (ready !== undefined) return { uuid: ready, takenOver: true };
      await checkNetwork(spec.connection, spec.network);
      await checkShares(spec.shares ?? []);
      const uuid = options.uuid ?? randomUUID();
      await makeVm(spec, uuid, owner, context, () => (defined = uuid));
      return { uuid, takenOver: false };
    });
  } catch (error) {
    const failure = cannot("create", "VM", spec.name, error);
    throw defined === undefined ? failure : new HalfMadeError(defined, failure);
  }
}

async function makeVm(
  spec: VmSpec,
  uuid: string,
  owner: Owner,
  context: Context,
  onDefined: () => void,
): Promise<void> {
  const { settings, connection } = spec;
  const { acceleration } = await detectAcceleration({ root: "/" }, spec.acceleration);
  const disk = newDiskPath(settings);
  const nvram = newNvramPath(settings);
  const consoleLog = await newConsoleLog(connection, settings, spec.name, uuid);
  // The definition is first: from here on every file has an owner.
  const define = async (image: string): Promise<Mark> => {
    const files = [disk, nvram, consoleLog];
    const mark: Mark = { owner, phase: "creating", profile: spec.profile, image, files };
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
      credentials: revise(credentialsOf(spec, uuid)),
    });
    await defineDomain(connection, replaceShares(xml, spec.shares ?? []));
    onDefined();
    context.reached?.("create: defined");
    return mark;
  };
  const mark = await (spec.fresh === true ? installDisk : overlayImage)(spec, disk, context, define);
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

/** A thin disk on the recipe's image. */
async function overlayImage(spec: VmSpec, disk: string, context: Context, define: Define): Promise<Mark> {
  const image = await ensureImage(spec, context);
  context.reached?.("create: image found");
  const mark = await define(image.key);
  await createOverlay(disk, image.path, parseSize(spec.disk));
  return mark;
}

/** Defines the VM, by the key of the image that its disk stands on. */
type Define = (image: string) => Promise<Mark>;

/** The first boot, where something needs it now: the identity is in the definition, and is taken on whenever that boot comes. */
async function bootFirst(spec: VmSpec, vm: Omit<RunningVm, "limits">, context: Context): Promise<void> {
  const passwords = givenPasswords(spec);
  if (spec.running === false && Object.keys(passwords).length === 0) {
    context.progress.phase("leaving it off: it takes its identity on when it is first started");
    return;
  }
  const limits = limitsOf(vm.acceleration, spec.timeouts);
  await startVm({ ...vm, limit: limits.boot }, vm.acceleration, context);
  await setPasswords(vm.connection, vm.uuid, passwords);
  context.reached?.("create: passwords set");
  if (spec.running !== false) return;
  context.progress.phase("stopping: its passwords are set, and it is not to run");
  await shutDown(vm.connection, vm.uuid, limits.shutdown, context);
}
