/**
 * A clone: the source's disks are frozen, and a VM with an identity of its own stands on them beside the source. As in a creation, the
 * definition is first, so that whatever interrupts it leaves nothing unmarked.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "../context.js";
import { cannot, VmsError } from "../errors.js";
import { isErrno } from "../host/errno.js";
import { withLock } from "../host/lock.js";
import { type Moment, now } from "../host/moment.js";
import { limitsOf } from "../install/steps.js";
import { cloneXml } from "../libvirt/clone-xml.js";
import { readCredentials } from "../libvirt/credentials.js";
import { readWritableDisks } from "../libvirt/disks.js";
import { defineDomain, setMark } from "../libvirt/domain.js";
import { nvramTemplate } from "../libvirt/firmware.js";
import type { Mark, Owner } from "../libvirt/mark.js";
import { virsh } from "../libvirt/virsh.js";
import { storeLock } from "../storage/bases.js";
import { createOverlay, imageInfo } from "../storage/qemu-img.js";
import { formatSize, parseSize } from "../storage/size.js";
import { checkStore, createConsoleLog, createNvram, newDiskPath, newNvramPath } from "../storage/store.js";
import { claimVm, type CreateOptions } from "./claim.js";
import type { Created } from "./create.js";
import { type Frozen, freezeDisks } from "./freeze.js";
import { HalfMadeError } from "./half-made.js";
import { cloneCredentials } from "./identity.js";
import { startVm } from "./lifecycle.js";
import { newConsoleLog } from "./own-log.js";
import { withVm } from "./ownership.js";
import { type Source, withSource } from "./source.js";
import type { CloneSpec } from "./spec.js";

/**
 * Makes the clone, or finishes what an interrupted call began. Throws VmsError; a HalfMadeError where a domain is there by then.
 */
export async function cloneVm(
  spec: CloneSpec,
  owner: Owner,
  context: Context,
  options: CreateOptions = {},
): Promise<Created> {
  let defined: string | undefined;
  try {
    // What was written before this moment is in the clone.
    const requested = await now();
    await checkStore(spec.settings);
    return await withVm(spec.name, context, async () => {
      const ready = await claimVm(spec, owner, context, options);
      context.reached?.("clone: claimed");
      if (ready !== undefined) return { uuid: ready, takenOver: true };
      const uuid = options.uuid ?? randomUUID();
      const clone = await withSource(spec.connection, spec.source, context, (source) =>
        standBeside(source, { spec, uuid, owner, requested }, context, () => (defined = uuid)),
      );
      await finish(spec, clone, context);
      return { uuid, takenOver: false };
    });
  } catch (error) {
    const failure = cannot("clone", "VM", spec.name, error);
    throw defined === undefined ? failure : new HalfMadeError(defined, failure);
  }
}

interface Request {
  readonly spec: CloneSpec;
  readonly uuid: string;
  readonly owner: Owner;
  readonly requested: Moment;
}

interface Clone {
  readonly uuid: string;
  readonly mark: Mark;
  readonly consoleLog: string;
  readonly acceleration: "kvm" | "tcg";
}

/** All that needs the source to stay as it is. */
async function standBeside(source: Source, request: Request, context: Context, onDefined: () => void): Promise<Clone> {
  const { spec, uuid, owner, requested } = request;
  const { settings, connection } = spec;
  const disks = readWritableDisks(source.xml);
  await refuseShrinking(spec, source);
  const own = new Map(disks.map(({ target }) => [target, newDiskPath(settings)]));
  const nvram = source.nvram === undefined ? undefined : newNvramPath(settings);
  const consoleLog = await newConsoleLog(connection, settings, spec.name, uuid);
  const mark: Mark = {
    owner,
    phase: "creating",
    profile: source.mark.profile,
    image: source.mark.image,
    files: [...own.values(), ...(nvram === undefined ? [] : [nvram]), consoleLog],
  };
  const xml = cloneXml(source.xml, {
    name: spec.name,
    uuid,
    disks: new Map(disks.map(({ target, file }) => [file, own.get(target) ?? ""])),
    nvram,
    consoleLog,
    credentials: cloneCredentials(readCredentials(source.xml), spec, uuid),
    mark,
    memory: spec.memory,
    cpus: spec.cpus,
  });
  await defineDomain(connection, xml);
  onDefined();
  context.reached?.("clone: defined");
  const frozen = await freezeDisks(connection, source.uuid, requested, context);
  context.reached?.("clone: frozen");
  // Whoever looks for bases that nobody uses sees the source's disk, or the clone's.
  await withLock(storeLock(settings), () => makeOverlays(spec, frozen, own, disks[0]?.target, context), {
    signal: context.signal,
  });
  if (nvram !== undefined) await copyNvram(source, nvram);
  context.reached?.("clone: nvram made");
  return { uuid, mark, consoleLog, acceleration: source.acceleration };
}

async function refuseShrinking({ disk }: CloneSpec, source: Source): Promise<void> {
  const [path] = source.disks;
  if (disk === undefined || path === undefined) return;
  const { capacity } = await imageInfo(path, { shared: true });
  if (parseSize(disk) >= capacity) return;
  throw new VmsError("input", `a disk of ${disk} is smaller than its source's, which has ${formatSize(capacity)}`, {
    hint: "A clone's disk can only be as large as its source's, or larger",
  });
}

async function makeOverlays(
  { disk }: CloneSpec,
  { disks }: Frozen,
  own: ReadonlyMap<string, string>,
  first: string | undefined,
  context: Context,
): Promise<void> {
  for (const { target, base, capacity } of disks) {
    const path = own.get(target);
    if (path === undefined) throw new VmsError("busy", `the source got a disk ${target} meanwhile`);
    const wanted = disk !== undefined && target === first ? parseSize(disk) : capacity;
    await createOverlay(path, base, Math.max(wanted, capacity));
    context.reached?.("clone: overlay made");
  }
}

/** A copy, so that boot entries survive. libvirt makes a source's variables at its first start where nobody did before. */
async function copyNvram({ nvram, nvramTemplate: template }: Source, target: string): Promise<void> {
  if (nvram === undefined) return;
  try {
    await createNvram(target, nvram);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    await createNvram(target, template ?? (await nvramTemplate()));
  }
}

async function finish(spec: CloneSpec, clone: Clone, context: Context): Promise<void> {
  const { connection } = spec;
  const { uuid, mark, consoleLog, acceleration } = clone;
  await createConsoleLog(consoleLog);
  context.reached?.("clone: log made");
  if (spec.running === false) {
    context.progress.phase("leaving it off: it takes its identity on when it is first started");
  } else {
    const limits = limitsOf(acceleration, spec.timeouts);
    await startVm({ connection, uuid, consoleLog, limit: limits.boot, mayLackIdentity: true }, acceleration, context);
  }
  if (spec.autostart) await virsh(connection, ["autostart", uuid]);
  context.reached?.("clone: autostart set");
  await setMark(connection, uuid, { ...mark, phase: "ready" });
  context.reached?.("clone: marked ready");
}
