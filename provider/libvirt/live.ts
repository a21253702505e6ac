/** What a domain that runs has now, and which changes it can take without a power-off. */
import { readDomain } from "./domain.js";
import { attribute, childrenOf, elements, find, parseXml } from "./xml.js";
import { type Connection, virsh } from "./virsh.js";

export interface LiveDomain {
  /** In MiB: what its balloon leaves it, and what it was started with. */
  readonly memory: number;
  readonly mostMemory: number;
  readonly cpus: number;
  readonly mostCpus: number;
  /** Those that it was started with cannot be unplugged. */
  readonly leastCpus: number;
  readonly interfaces: readonly LiveInterface[];
}

export interface LiveInterface {
  readonly mac: string | undefined;
  /** undefined: it is not on a libvirt network. */
  readonly network: string | undefined;
  readonly linked: boolean;
}

/** undefined: the domain is off. `seconds` bounds the wait for libvirt's answer. */
export async function readLive(
  connection: Connection,
  uuid: string,
  seconds?: number,
): Promise<LiveDomain | undefined> {
  return liveDomain(await virsh(connection, ["dumpxml", uuid], { timeout: seconds }));
}

export function liveDomain(xml: string): LiveDomain | undefined {
  const document = parseXml(xml);
  // Only what runs has a number.
  if (attribute(find(document, "domain"), "id") === undefined) return undefined;
  const { memory, mostMemory, cpus, mostCpus } = readDomain(xml);
  const slots = childrenOf(find(document, "domain", "vcpus") ?? {});
  const plugged = slots.filter(
    (slot) => attribute(slot, "hotpluggable") === "yes" && attribute(slot, "enabled") === "yes",
  );
  const devices = find(document, "domain", "devices") ?? {};
  return {
    memory,
    mostMemory,
    cpus,
    mostCpus,
    leastCpus: cpus - plugged.length,
    interfaces: elements(devices, "interface").map((nic) => ({
      mac: attribute(elements(nic, "mac")[0], "address"),
      network: attribute(elements(nic, "source")[0], "network"),
      linked: attribute(elements(nic, "link")[0], "state") !== "down",
    })),
  };
}

export const takesMemory = (live: LiveDomain, memory: number): boolean => memory <= live.mostMemory;

export const takesCpus = (live: LiveDomain, cpus: number): boolean => cpus >= live.leastCpus && cpus <= live.mostCpus;

/** From one libvirt network to another: what stands behind the guest's interface otherwise is made when it starts. */
export function takesNetwork(
  live: LiveDomain,
  network: string,
  mac: string | undefined = live.interfaces[0]?.mac,
): boolean {
  return network !== "user" && live.interfaces.some((nic) => nic.mac === mac && nic.network !== undefined);
}
