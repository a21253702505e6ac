/** Putting right what an interrupted freeze left of a VM's disks; nothing where there is nothing. */
import { rm } from "node:fs/promises";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { exists } from "../host/existence.js";
import { readDisks } from "../libvirt/disks.js";
import { readDiskFiles } from "../libvirt/domain-files.js";
import { defineDomain, dumpDomain, dumpRunning, hasManagedSave, isOff, setMark } from "../libvirt/domain.js";
import { replaceDiskFiles } from "../libvirt/domain-edit.js";
import { type Mark, readMark } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { parseXml } from "../libvirt/xml.js";
import { basePathOf, isBase, protectBase } from "../storage/bases.js";
import { backingChain } from "../storage/chain.js";
import { isAnyOf, isSameFile } from "../storage/file-identity.js";
import { imageInfo } from "../storage/qemu-img.js";
import { holdsNothing } from "../storage/written.js";

/**
 * Makes definition, mark and files of a VM of ours agree: libvirt's memory of an older chain goes, bases lose their write bits, and
 * files that a freeze announced or left behind go where nothing can be lost with them. The caller holds the VM's lock.
 */
export async function settleDisks(connection: Connection, uuid: string, context: Context): Promise<void> {
  const first = await look(connection, uuid);
  const { xml, tops } = first;
  const plain = replaceDiskFiles(xml, new Map(tops.map((file) => [file, file])));
  // A remembered chain names files by names that they are about to lose.
  if (plain !== xml) await defineDomain(connection, plain);
  for (const top of tops) await protectBelow(top, first.open, context);
  const mark = markOf(xml);
  let last = first;
  let leftovers = await findLeftovers(mark.files, last, context);
  if (leftovers.length === 0) return;
  if (first.runs) {
    // libvirtd may be busy with the snapshot of a caller that was killed. Setting the mark waits for that, and then it is seen.
    await setMark(connection, uuid, mark);
    last = await look(connection, uuid);
    leftovers = await findLeftovers(mark.files, last, context);
  }
  // A state that was saved while it ran remembers the names of that time.
  if (!last.runs && (await hasManagedSave(connection, uuid))) return;
  for (const file of leftovers) await rm(file, { force: true });
  await setMark(connection, uuid, { ...mark, files: mark.files.filter((file) => !leftovers.includes(file)) });
}

interface Used {
  /** The files that it writes to, now and from its next boot on. */
  readonly open: readonly string[];
  /** Of one that runs, its whole chain as libvirt knows it: a state that is saved of it can be restored only with these names. */
  readonly named: readonly string[];
}

interface Look extends Used {
  readonly xml: string;
  readonly tops: readonly string[];
  readonly runs: boolean;
}

async function look(connection: Connection, uuid: string): Promise<Look> {
  const xml = await dumpDomain(connection, uuid);
  const tops = topsOf(xml);
  if (await isOff(connection, uuid)) return { xml, tops, runs: false, open: tops, named: [] };
  const running = await dumpRunning(connection, uuid);
  return { xml, tops, runs: true, open: [...tops, ...topsOf(running)], named: readDiskFiles(running) };
}

const topsOf = (xml: string): string[] => readDisks(xml).flatMap(({ file }) => file ?? []);

/** The mark of a domain that is known to be ours. */
export function markOf(xml: string): Mark {
  const mark = readMark(parseXml(xml));
  if (mark === undefined) throw new VmsError("foreign", "the domain bears no mark of ours any more; it was left alone");
  return mark;
}

/** What it still writes to by an old name is left as it is: it may have to open it again. */
async function protectBelow(top: string, open: readonly string[], { settings }: Context): Promise<void> {
  const { backing } = await imageInfo(top, { shared: true });
  if (backing === undefined || !isBase(settings, backing)) return;
  if (!(await isAnyOf(backing, open))) await protectBase(backing);
}

/** The disks that a freeze announced and did not use, and the old names of bases; those too that are gone by now. */
async function findLeftovers(
  files: readonly string[],
  { open, named }: Used,
  { settings }: Context,
): Promise<string[]> {
  const names = [...open, ...named];
  // Only a disk has a name as a base.
  const candidates = files.filter((file) => !names.includes(file) && basePathOf(settings, file) !== file);
  if (candidates.length === 0) return [];
  // A user's snapshot puts a file on top of ours.
  const chains = await Promise.all(open.map(backingChain));
  const used = [...names, ...chains.flat().map(({ path }) => path)];
  const found: string[] = [];
  for (const file of candidates) if (await isLeftover(file, basePathOf(settings, file), used)) found.push(file);
  return found;
}

async function isLeftover(file: string, base: string, used: readonly string[]): Promise<boolean> {
  if (used.includes(file)) return false;
  if (!(await exists(file))) return true;
  if (used.includes(base) && (await isSameFile(file, base))) return true;
  // A user may have taken a disk out of the definition, to put it back one day: only what nothing is lost with goes.
  return file.endsWith(".qcow2") && (await holdsNothing(file)) && (await standsOnUsed(file, used));
}

/** An empty file may be all that keeps the frozen disk below it. */
async function standsOnUsed(file: string, used: readonly string[]): Promise<boolean> {
  const { backing } = await imageInfo(file, { shared: true });
  return backing === undefined || (await isAnyOf(backing, used));
}
