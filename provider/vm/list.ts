/** Every VM of ours on this host, with as few calls of libvirt as there can be: one for their names, one for all that it knows of them. */
import { hasCode } from "../errors.js";
import { type DomainState, readDomain } from "../libvirt/domain.js";
import { isGone, listUuids } from "../libvirt/dump.js";
import { type Connection, virshEach } from "../libvirt/virsh.js";
import { guestAddress } from "../libvirt/guest-agent.js";
import { baseOf, factsOf, type VmDescription } from "./describe.js";
import type { OwnDomain } from "./ownership.js";

export interface ListedVm extends VmDescription {
  readonly profile: string;
  /** "cli", "image", or "stack:<fingerprint>". */
  readonly owner: string;
  readonly ownerLabel: string;
}

export interface ListOptions {
  /** Also their displays, and the files that their disks stand on, which are asked for one by one. */
  readonly whole: boolean;
}

/** In the order of their names, installs among them. */
export async function listVms(connection: Connection, { whole }: ListOptions): Promise<ListedVm[]> {
  const found = await readAll(connection, whole);
  const rows = await Promise.all(found.map((one) => describeUnlessGone(connection, one, whole)));
  return rows.filter((row) => row !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

interface Found {
  readonly domain: OwnDomain;
  readonly state: DomainState;
  readonly autostart: boolean;
  readonly viewer: string;
}

async function readAll(connection: Connection, whole: boolean): Promise<Found[]> {
  const uuids = await listUuids(connection);
  const asked = uuids.flatMap((uuid) => [
    ["dumpxml", "--inactive", uuid],
    ["domstate", uuid],
    whole ? ["domdisplay", uuid] : ["echo"],
  ]);
  const [starting = "", ...answers] = await virshEach(connection, [
    ["list", "--all", "--autostart", "--uuid"],
    ...asked,
  ]);
  return uuids.flatMap((uuid, index) => {
    const [xml = "", state = "", viewer = ""] = answers.slice(index * 3);
    // Empty: somebody has removed it meanwhile.
    const domain = xml === "" || state === "" ? undefined : readDomain(xml);
    const mark = domain?.mark;
    if (domain === undefined || mark === undefined) return [];
    return [{ domain: { ...domain, mark }, state: state as DomainState, autostart: starting.includes(uuid), viewer }];
  });
}

/** undefined: somebody has removed it meanwhile. */
async function describeUnlessGone(connection: Connection, found: Found, whole: boolean): Promise<ListedVm | undefined> {
  try {
    return await describe(connection, found, whole);
  } catch (error) {
    if (!hasCode(error, "gone")) throw error;
    // One that was made again meanwhile has no address yet.
    const { uuid } = found.domain;
    return (await isGone(connection, uuid, error))
      ? undefined
      : describe(connection, { ...found, state: "shut off" }, whole);
  }
}

async function describe(
  connection: Connection,
  { domain, state, autostart, viewer }: Found,
  whole: boolean,
): Promise<ListedVm> {
  const { mark, uuid } = domain;
  const [ipAddress, base] = await Promise.all([
    state === "running" ? guestAddress(connection, uuid) : undefined,
    whole ? baseOf(domain) : "",
  ]);
  return {
    ...factsOf(domain),
    state,
    ipAddress: ipAddress ?? "",
    base,
    viewer: state === "running" ? viewer : "",
    autostart,
    profile: mark.profile,
    owner: mark.owner.id,
    ownerLabel: mark.owner.label,
  };
}
