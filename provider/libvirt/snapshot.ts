/** Freezing the disks of a running domain: from one moment on it writes to other files, and the ones before stay as they are. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode, toVmsError } from "../errors.js";
import { type Connection, virsh } from "./virsh.js";
import { escapeXml } from "./xml.js";

/** A disk by its target (vda) and the file that its domain writes to from now on: a qcow2 over its present one. */
export interface Switch {
  readonly target: string;
  readonly file: string;
}

/** What a guest has not written yet is written first, however much that is. */
const switchSeconds = 300;

/**
 * Switches these disks at once, the others stay. `quiesce` has the guest agent flush and freeze the file systems meanwhile, which
 * libvirtd does by itself: they are thawed also where this process dies. Returns whether they were frozen: an agent may answer and
 * not be able or allowed to.
 */
export async function switchDisks(
  connection: Connection,
  uuid: string,
  switches: readonly Switch[],
  others: readonly string[],
  quiesce: boolean,
): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), "vms-snapshot-"));
  try {
    const file = join(directory, "snapshot.xml");
    await writeFile(file, snapshotXml(switches, others), { mode: 0o600 });
    const create = ["snapshot-create", uuid, file, "--disk-only", "--atomic", "--no-metadata", "--reuse-external"];
    if (quiesce && (await succeedsQuiesced(connection, create))) return true;
    await virsh(connection, create, { timeout: switchSeconds });
    return false;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Nothing has been switched where it is the agent that fails: the file systems are frozen first. */
async function succeedsQuiesced(connection: Connection, create: readonly string[]): Promise<boolean> {
  try {
    await virsh(connection, [...create, "--quiesce"], { timeout: switchSeconds });
    return true;
  } catch (error) {
    if (hasCode(error, "command") && /guest-fsfreeze|guest agent/i.test(toVmsError(error).reason)) return false;
    throw error;
  }
}

export function snapshotXml(switches: readonly Switch[], others: readonly string[]): string {
  const switched = switches.map(
    ({ target, file }) =>
      // As in the domain's own definition: libvirt must not take the files from their owner.
      `<disk name="${escapeXml(target)}" snapshot="external" type="file"><driver type="qcow2"/>` +
      `<source file="${escapeXml(file)}"><seclabel model="dac" relabel="no"/></source></disk>`,
  );
  const left = others.map((target) => `<disk name="${escapeXml(target)}" snapshot="no"/>`);
  return `<domainsnapshot><disks>${[...switched, ...left].join("")}</disks></domainsnapshot>`;
}
