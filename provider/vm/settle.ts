/** Putting right what an interrupted freeze left of a VM's disks; nothing where there is nothing. */
import { rm } from "node:fs/promises";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { exists } from "../host/existence.js";
import { readDisks } from "../libvirt/disks.js";
import { defineDomain, dumpDomain, dumpRunning, isOff, setMark } from "../libvirt/domain.js";
import { replaceDiskFiles } from "../libvirt/domain-edit.js";
import { type Mark, readMark } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { parseXml } from "../libvirt/xml.js";
import { basePathOf, isBase, protectBase } from "../storage/bases.js";
import { backingChain } from "../storage/chain.js";
import { isSameFile } from "../storage/file-identity.js";
import { imageInfo } from "../storage/qemu-img.js";
import { isOwnPlace } from "../storage/store.js";
import { holdsNothing } from "../storage/written.js";

/**
 * Makes definition, mark and files of a VM of ours agree: libvirt's memory of an older chain goes, bases lose their write bits, and
 * files that a freeze announced or left behind go where nothing can be lost with them. The caller holds the VM's lock.
 */
export async function settleDisks(connection: Connection, uuid: string, context: Context): Promise<void> {
  const xml = await dumpDomain(connection, uuid);
  const tops = filesOf(xml);
  const used = (await isOff(connection, uuid)) ? tops : [...tops, ...filesOf(await dumpRunning(connection, uuid))];
  const plain = replaceDiskFiles(xml, new Map(tops.map((file) => [file, file])));
  // A remembered chain names files by names that they are about to lose.
  if (plain !== xml) await defineDomain(connection, plain);
  for (const top of tops) await protectBelow(top, context);
  const mark = markOf(xml);
  const kept: string[] = [];
  const inUse = await withChains(mark.files, used);
  for (const file of mark.files) if (!(await removeLeftover(file, inUse, context))) kept.push(file);
  if (kept.length !== mark.files.length) await setMark(connection, uuid, { ...mark, files: kept });
}

/** The mark of a domain that is known to be ours. */
export function markOf(xml: string): Mark {
  const mark = readMark(parseXml(xml));
  if (mark === undefined) throw new VmsError("foreign", "the domain bears no mark of ours any more; it was left alone");
  return mark;
}

const filesOf = (xml: string): string[] => readDisks(xml).flatMap(({ file }) => file ?? []);

/** What is in use, and what it stands on where that may be one of these files: a user's snapshot puts a file on top of ours. */
async function withChains(files: readonly string[], used: readonly string[]): Promise<readonly string[]> {
  if (files.every((file) => used.includes(file) || !file.endsWith(".qcow2"))) return used;
  const chains = await Promise.all(used.map(backingChain));
  return [...used, ...chains.flat().map(({ path }) => path)];
}

async function protectBelow(top: string, { settings }: Context): Promise<void> {
  const { backing } = await imageInfo(top, { shared: true });
  if (backing !== undefined && isBase(settings, backing)) await protectBase(backing);
}

/** Whether the file was, or is gone now, a disk that a freeze announced and did not use, or the old name of a base. */
async function removeLeftover(file: string, used: readonly string[], { settings }: Context): Promise<boolean> {
  if (used.includes(file) || !file.endsWith(".qcow2") || !isOwnPlace(settings, file)) return false;
  if (!(await exists(file))) return true;
  // A user may have taken a disk out of the definition, to put it back one day: only what holds nothing goes.
  if (!(await isOldName(file, basePathOf(settings, file))) && !(await holdsNothing(file))) return false;
  await rm(file);
  return true;
}

async function isOldName(file: string, base: string): Promise<boolean> {
  return file !== base && (await isSameFile(file, base));
}
