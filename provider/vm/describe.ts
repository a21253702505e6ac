/** What is true of a VM now, as its resource and the command line show it. */
import { hasCode } from "../errors.js";
import { type Domain, domainState, findDomain, startsWithHost } from "../libvirt/domain.js";
import { guestAddress } from "../libvirt/guest-agent.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { imageInfo } from "../storage/qemu-img.js";

export interface VmDescription {
  readonly name: string;
  readonly uuid: string;
  readonly mac: string;
  /** Empty while none is known. */
  readonly ipAddress: string;
  /** libvirt's word: "running", "shut off", ... */
  readonly state: string;
  readonly diskPath: string;
  /** Hash of the recipe of the image that the disk stands on. */
  readonly image: string;
  /** The file that its first disk stands on; empty where there is none, or where we may not look. */
  readonly base: string;
  readonly consoleLog: string;
  /** URI of the SPICE display; empty while the VM is off. */
  readonly viewer: string;
  /** "ready", or how far an interrupted operation got. */
  readonly phase: string;
  /** In MiB, after the next boot. */
  readonly memory: number;
  readonly cpus: number;
  readonly autostart: boolean;
}

/** By UUID; undefined where libvirt says that there is no such domain. */
export async function describeVm(connection: Connection, uuid: string): Promise<VmDescription | undefined> {
  for (let tries = 1; ; tries++) {
    const domain = await findDomain(connection, uuid);
    if (domain === undefined) return undefined;
    try {
      return await describe(connection, domain);
    } catch (error) {
      // Somebody may remove it while we ask, and make it again.
      if (!hasCode(error, "gone") || tries === mostTries) throw error;
    }
  }
}

const mostTries = 5;

/** In seconds: what it says is kept, for others to use. */
const patience = 30;

async function describe(connection: Connection, domain: Domain): Promise<VmDescription> {
  const { uuid } = domain;
  const { state } = await domainState(connection, uuid);
  const runs = state === "running";
  return {
    ...factsOf(domain),
    ipAddress: runs ? ((await guestAddress(connection, uuid, { seconds: patience })) ?? "") : "",
    state,
    base: await baseOf(domain),
    viewer: runs ? await displayUri(connection, uuid) : "",
    autostart: await startsWithHost(connection, uuid),
  };
}

/** What its definition alone tells. */
export function factsOf(domain: Domain) {
  return {
    name: domain.name,
    uuid: domain.uuid,
    mac: domain.macs[0] ?? "",
    diskPath: domain.disks[0] ?? "",
    image: domain.mark?.image ?? "",
    consoleLog: consoleLogOf(domain),
    phase: domain.mark?.phase ?? "unmarked",
    memory: domain.memory,
    cpus: domain.cpus,
  };
}

export async function baseOf({ disks: [top] }: Domain): Promise<string> {
  if (top === undefined) return "";
  try {
    return (await imageInfo(top, { shared: true })).backing ?? "";
  } catch (error) {
    if (hasCode(error, "gone", "permission")) return "";
    throw error;
  }
}

export function consoleLogOf(domain: Domain): string {
  return domain.mark?.files.find((path) => path.endsWith(".log")) ?? "";
}

async function displayUri(connection: Connection, uuid: string): Promise<string> {
  try {
    return await virsh(connection, ["domdisplay", uuid]);
  } catch (error) {
    // It may have powered off since we asked.
    if (hasCode(error, "command")) return "";
    throw error;
  }
}
