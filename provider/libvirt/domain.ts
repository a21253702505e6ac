/** What can be asked of and done to one domain. Domains are named by UUID wherever we know it: a name can be taken by another. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode, VmsError } from "../errors.js";
import { dumpAll, dumpListed, findUuid, isUuid, orWhereGone } from "./dump.js";
import { type Connection, virsh } from "./virsh.js";
import { type Mark, markNamespace, markXml, readMark } from "./mark.js";
import { attribute, childrenOf, elements, find, parseXml, textOf } from "./xml.js";

export type DomainState =
  "running" | "paused" | "shut off" | "in shutdown" | "crashed" | "idle" | "pmsuspended" | "no state";

/** A domain as its persistent definition says. */
export interface Domain {
  readonly name: string;
  readonly uuid: string;
  /** In MiB; what it has after the next boot. */
  readonly memory: number;
  /** In MiB; how far memory can be raised while it runs. */
  readonly mostMemory: number;
  readonly acceleration: "kvm" | "tcg";
  readonly cpus: number;
  readonly mostCpus: number;
  readonly macs: readonly string[];
  /** Paths of its disks' top files. */
  readonly disks: readonly string[];
  readonly nvram: string | undefined;
  /** The file that a new NVRAM is copied from. */
  readonly nvramTemplate: string | undefined;
  /** undefined: the domain is not ours. */
  readonly mark: Mark | undefined;
}

/**
 * Reads a domain by UUID or name; undefined only where libvirt listed all domains and there is none. virsh itself would take a
 * name such as "7" for the number of a running domain.
 */
export async function findDomain(connection: Connection, id: string): Promise<Domain | undefined> {
  const uuid = isUuid(id) ? id : await findUuid(connection, id);
  if (uuid === undefined) return undefined;
  const xml = await dumpListed(connection, uuid, ["--inactive"]);
  return xml === undefined ? undefined : readDomain(xml);
}

/** The persistent definition as it can be defined again: with what a plain dump hides, such as a display's password. */
export async function dumpDomain(connection: Connection, uuid: string): Promise<string> {
  return virsh(connection, ["dumpxml", "--inactive", "--security-info", uuid]);
}

/** As it runs now, with what libvirt added at its start. */
export async function dumpRunning(connection: Connection, uuid: string): Promise<string> {
  return virsh(connection, ["dumpxml", uuid]);
}

export function readDomain(xml: string): Domain {
  const document = parseXml(xml);
  const uuid = textOf(find(document, "domain", "uuid"));
  const name = textOf(find(document, "domain", "name"));
  if (uuid === undefined || name === undefined)
    throw new VmsError("command", "libvirt gave a domain without name or UUID");
  const devices = find(document, "domain", "devices");
  const list = (element: string) => (devices === undefined ? [] : elements(devices, element));
  const nvram = find(document, "domain", "os", "nvram");
  const vcpu = find(document, "domain", "vcpu");
  return {
    uuid,
    name,
    memory: inMiB(find(document, "domain", "currentMemory") ?? find(document, "domain", "memory")),
    mostMemory: inMiB(find(document, "domain", "memory")),
    acceleration: attribute(find(document, "domain"), "type") === "kvm" ? "kvm" : "tcg",
    cpus: Number(attribute(vcpu, "current") ?? textOf(vcpu) ?? "1"),
    mostCpus: Number(textOf(vcpu) ?? "1"),
    macs: list("interface").flatMap((node) => attribute(elements(node, "mac")[0], "address") ?? []),
    disks: list("disk").flatMap((node) => attribute(elements(node, "source")[0], "file") ?? []),
    nvram: nvram === undefined || childrenOf(nvram).length === 0 ? undefined : textOf(nvram)?.trim(),
    nvramTemplate: attribute(nvram, "template"),
    mark: readMark(document),
  };
}

const unitsInKiB: Readonly<Record<string, number>> = { KiB: 1, MiB: 1024, GiB: 1024 ** 2, TiB: 1024 ** 3 };

function inMiB(node: Parameters<typeof textOf>[0]): number {
  const unit = attribute(node, "unit") ?? "KiB";
  return Math.round((Number(textOf(node) ?? "0") * (unitsInKiB[unit] ?? 1)) / 1024);
}

export async function listDomains(connection: Connection): Promise<Domain[]> {
  return (await dumpAll(connection, ["--inactive"])).map(readDomain);
}

/** Defines a domain, or changes the one of the same UUID. */
export async function defineDomain(connection: Connection, xml: string): Promise<void> {
  await withFile(xml, (file) => virsh(connection, ["define", file]));
}

/** Changes a device of a domain that runs; the definition stays as it is. */
export async function updateDevice(connection: Connection, id: string, xml: string): Promise<void> {
  await withFile(xml, (file) => virsh(connection, ["update-device", id, file, "--live"]));
}

/** virsh reads files only: Node's standard input is a socket, which /dev/stdin cannot open. */
async function withFile(xml: string, work: (file: string) => Promise<unknown>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "vms-define-"));
  try {
    const file = join(directory, "new.xml");
    await writeFile(file, xml, { mode: 0o600 });
    await work(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** `seconds` bounds the wait for libvirt's answer. */
export async function domainState(
  connection: Connection,
  id: string,
  seconds?: number,
): Promise<{ state: DomainState; reason: string }> {
  const answer = await virsh(connection, ["domstate", "--reason", id], { timeout: seconds });
  const match = /^(.*?)(?: \((.*)\))?$/.exec(answer);
  return { state: (match?.[1] ?? answer) as DomainState, reason: match?.[2] ?? "" };
}

/** Nothing of it runs and has its files open. Of a guest that crashed its definition may keep qemu, for a look at its memory. */
export async function isOff(connection: Connection, id: string, seconds?: number): Promise<boolean> {
  return (await domainState(connection, id, seconds)).state === "shut off";
}

/** Off, or crashed and kept: there is no guest that could do anything more. */
export async function hasEnded(connection: Connection, id: string): Promise<boolean> {
  const { state } = await domainState(connection, id);
  return state === "shut off" || state === "crashed";
}

export async function setMark(connection: Connection, uuid: string, mark: Mark): Promise<void> {
  // libvirt adds the namespace declaration itself and refuses a second one.
  const xml = markXml(mark, uuid)
    .replace(/<(\/?)vms:/g, "<$1")
    .replace(` xmlns:vms="${markNamespace}"`, "");
  const set = (...scopes: string[]) =>
    virsh(connection, ["metadata", uuid, "--uri", markNamespace, "--key", "vms", "--set", xml, ...scopes]);
  if (await isOff(connection, uuid)) {
    await set("--config");
    return;
  }
  try {
    await set("--config", "--live");
  } catch (error) {
    if (!hasCode(error, "command")) throw error;
    // Who reads a mark reads the definition's: set in the domain that runs alone it is not set.
    if (await isOff(connection, uuid)) await set("--config");
    else if (await makePersistent(connection, uuid)) await set("--config", "--live");
    else throw error;
  }
}

/**
 * Forgets a domain that is off; nothing where it is gone. Its disks stay; its NVRAM, managed save and metadata of snapshots and
 * checkpoints go.
 */
export async function undefineDomain(connection: Connection, uuid: string): Promise<void> {
  const all = ["--nvram", "--managed-save", "--snapshots-metadata", "--checkpoints-metadata"];
  await orWhereGone(connection, uuid, () => virsh(connection, ["undefine", uuid, ...all]), undefined);
}

/**
 * Defines a domain that was undefined while it ran; nothing where it has a definition. It would be gone as soon as it is off, and with
 * it all that tells whose its files are. Whoever powers one of ours off asks for this first. Returns whether it had to.
 */
export async function makePersistent(connection: Connection, uuid: string): Promise<boolean> {
  // Answered also where something hangs that has the domain, unlike `dominfo`.
  const transient = await virsh(connection, ["list", "--all", "--transient", "--uuid"]);
  if (!transient.includes(uuid)) return false;
  await defineDomain(connection, await dumpDomain(connection, uuid));
  return true;
}

export async function startsWithHost(connection: Connection, id: string): Promise<boolean> {
  return /^Autostart:\s+enable/m.test(await virsh(connection, ["dominfo", id]));
}

/** Whether its next start resumes what `virsh managedsave` put aside. */
export async function hasManagedSave(connection: Connection, id: string): Promise<boolean> {
  return /^Managed save:\s+yes/m.test(await virsh(connection, ["dominfo", id]));
}

/** What its next start resumes, as a definition; undefined where it just starts. */
export async function dumpSaved(connection: Connection, id: string): Promise<string | undefined> {
  if (!(await hasManagedSave(connection, id))) return undefined;
  try {
    return await virsh(connection, ["managedsave-dumpxml", id]);
  } catch (error) {
    // It has been started meanwhile.
    if (!(await hasManagedSave(connection, id))) return undefined;
    throw error;
  }
}

/** The names of its snapshots, internal and external ones, as libvirt knows them. */
export async function listSnapshots(connection: Connection, id: string): Promise<string[]> {
  return (await virsh(connection, ["snapshot-list", id, "--name"])).split("\n").filter((line) => line !== "");
}

/** uid and gid of the qemu processes, as libvirt says. */
export async function qemuUser(connection: Connection): Promise<{ uid: number; gid: number }> {
  const document = parseXml(await virsh(connection, ["capabilities"]));
  const host = find(document, "capabilities", "host");
  const dac = (host === undefined ? [] : elements(host, "secmodel")).find(
    (node) => textOf(elements(node, "model")[0]) === "dac",
  );
  const label = dac === undefined ? undefined : textOf(elements(dac, "baselabel")[0]);
  const match = /^\+(\d+):\+(\d+)$/.exec(label ?? "");
  if (match === null) throw new VmsError("requirement", "libvirt does not say which user its guests run as");
  return { uid: Number(match[1]), gid: Number(match[2]) };
}
