/** Whose a domain is, and what may be done to it: the rule that nothing of anybody else's is ever touched. */
import { join } from "node:path";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { exists } from "../host/existence.js";
import { tryLock } from "../host/lock.js";
import { type Domain, findDomain, hasEnded, setMark, undefineDomain } from "../libvirt/domain.js";
import type { Mark, Owner } from "../libvirt/mark.js";
import { killDomain } from "../libvirt/power.js";
import type { Connection } from "../libvirt/virsh.js";
import { storePaths } from "../paths.js";
import type { Settings } from "../settings.js";
import { imageInfo } from "../storage/qemu-img.js";
import { isOwnPlace, removeOwnFiles } from "../storage/store.js";
import { sweepBases } from "./bases.js";
import { askToPowerOff } from "./lifecycle.js";

export const commandLine: Owner = { id: "cli", label: "the command line" };

export type OwnDomain = Domain & { readonly mark: Mark };

/** Throws VmsError (foreign) unless the domain bears the mark of this owner. */
export function requireOwn(domain: Domain, owner: Owner): OwnDomain {
  const { mark } = domain;
  if (mark === undefined) {
    throw new VmsError(
      "foreign",
      `there is a domain of that name that is not ours (UUID ${domain.uuid}); it was left alone`,
      {
        hint: `Give another name, or look at it: virsh -c qemu:///system dominfo ${domain.name}`,
      },
    );
  }
  if (mark.owner.id !== owner.id) {
    throw new VmsError("foreign", `it belongs to ${mark.owner.label}; it was left alone`, {
      hint:
        mark.owner.id === commandLine.id
          ? `Give another name, take it over with adopt: true in the program, or remove it: vms destroy ${domain.name}`
          : "Give another name, or remove it where it was made",
    });
  }
  return { ...domain, mark };
}

/** A resource may get another name; its VM says whose it is by the present one. */
export async function renewLabel(connection: Connection, { uuid, mark }: OwnDomain, owner: Owner): Promise<void> {
  if (mark.owner.label !== owner.label) await setMark(connection, uuid, { ...mark, owner });
}

/** Runs `work` while no other process can work on the VM of this name. Throws VmsError (busy) at once where one does. */
export async function withVm<T>(name: string, context: Context, work: () => Promise<T>): Promise<T> {
  const lock = await tryLock(vmLock(context.settings, name));
  if (lock === undefined) {
    throw new VmsError("busy", "another process is working on it", { hint: "Wait for it to end, then try again" });
  }
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** Held by whoever works on the VM of this name. */
export function vmLock(settings: Settings, name: string): string {
  return join(storePaths(settings).lock, `vm-${name}`);
}

/**
 * Throws VmsError (foreign) unless the domain is this owner's, or nobody's any more: one that an interrupted run left, whoever
 * began it. The caller holds its lock.
 */
export function requireOwnOrLeftover(domain: Domain, owner: Owner): OwnDomain {
  const { mark } = domain;
  return mark !== undefined && mark.phase !== "ready" ? { ...domain, mark } : requireOwn(domain, owner);
}

/**
 * Removes a domain of ours with its files: marked first, so that an interruption is recognised; undefined last. One that is ready and
 * runs is asked to power off before, and has that many seconds for it: whoever is interrupted meanwhile has deleted nothing yet.
 * What it does with one that is ready is told as phases; of another the caller knows how it came to be.
 */
export async function discardDomain(
  connection: Connection,
  domain: OwnDomain,
  context: Context,
  grace: number = 0,
): Promise<void> {
  requireStore(domain, context);
  const { uuid, mark } = domain;
  const ready = mark.phase === "ready";
  // An install may name the disk that it has left to its VM.
  const strange = mark.phase === "installing" ? [] : await strangeDisks(domain, context);
  if (ready) await powerOffFirst(connection, domain, grace, context);
  context.reached?.("delete: power-off awaited");
  if (ready) {
    context.progress.phase("removing");
    await setMark(connection, uuid, { ...mark, phase: "deleting" });
  }
  context.reached?.("delete: marked");
  const forced = await killDomain(connection, uuid);
  context.reached?.("delete: killed");
  if (forced && ready) {
    const late = grace > 0 ? `it did not power off within ${grace} s and was forced off` : "it was forced off at once";
    context.progress.notice(`${domain.name}: ${late}`);
  }
  for (const file of domain.mark.files) {
    await removeOwnFiles(context.settings, [file]);
    context.reached?.("delete: file removed");
  }
  for (const text of strange) context.progress.notice(text);
  // Before the domain is forgotten: whoever interrupts it finds it again by the domain.
  await sweepBases(connection, context, mark.files);
  context.reached?.("delete: bases swept");
  await undefineDomain(connection, domain.uuid);
  context.reached?.("delete: undefined");
}

/** What is to be said of disks in our directories that are not ours to remove, such as that of a snapshot by hand, which is on top of ours. */
async function strangeDisks({ disks, mark }: OwnDomain, { settings }: Context): Promise<string[]> {
  const texts: string[] = [];
  for (const disk of disks) {
    if (!isOwnPlace(settings, disk) || mark.files.includes(disk) || !(await exists(disk))) continue;
    // It is left whatever it is.
    const { backing } = await imageInfo(disk, { shared: true }).catch(() => ({ backing: undefined }));
    const useless = backing !== undefined && mark.files.includes(backing);
    const end = useless ? `; without ${backing}, which goes, nobody can read it` : "";
    texts.push(`Its disk ${disk} is left, since it is not this VM's own${end}`);
  }
  return texts;
}

async function powerOffFirst(
  connection: Connection,
  { uuid, name }: OwnDomain,
  grace: number,
  context: Context,
): Promise<void> {
  if (grace === 0 || (await hasEnded(connection, uuid))) return;
  context.progress.phase("shutting it down");
  const { off, by } = await askToPowerOff(connection, uuid, grace, context);
  if (off) context.progress.notice(`${name}: it powered off (asked by ${by})`);
}

/**
 * Throws VmsError (foreign) where files of the domain are elsewhere, be they there at this moment or not. Locks and files are of one
 * store: a domain of another one may be worked on right now, and its files would be left for ever.
 */
export function requireStore({ name, mark }: OwnDomain, { settings }: Context): void {
  const outside = mark.files.find((path) => !isOwnPlace(settings, path));
  if (outside === undefined) return;
  throw new VmsError("foreign", `its file ${outside} is not under ${storePaths(settings).root}; nothing was changed`, {
    hint: `Set VMS_IMAGES to the directory that it was made with, and try again. Where that is gone for good: virsh -c qemu:///system undefine --nvram ${name}`,
  });
}

/** Discards what an interrupted run of the same owner left under a name. Returns a ready domain of that owner untouched. */
export async function claimName(
  connection: Connection,
  name: string,
  owner: Owner,
  context: Context,
): Promise<OwnDomain | undefined> {
  const found = await findDomain(connection, name);
  if (found === undefined) return undefined;
  const own = requireOwn(found, owner);
  if (own.mark.phase === "ready") return own;
  context.progress.phase(`removing what an interrupted run left of ${JSON.stringify(name)}`);
  await discardDomain(connection, own, context);
  return undefined;
}
