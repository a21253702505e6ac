/** Changes of a VM's definition. All of an update's are made at once: a VM is defined as it was, or as it is to be. */
import { detectAcceleration } from "../host/acceleration.js";
import { readCredentials } from "../libvirt/credentials.js";
import { type Domain, defineDomain, dumpDomain } from "../libvirt/domain.js";
import { replaceCredentials, setAcceleration, setCpus, setMemory, setNetwork } from "../libvirt/domain-edit.js";
import { replaceShares, type SharedDirectory } from "../libvirt/shares-edit.js";
import type { Connection } from "../libvirt/virsh.js";
import { checkNetwork } from "./lifecycle.js";
import { checkShares, sharesCredential } from "./shares.js";
import type { VmSpec } from "./spec.js";

/** What a definition is brought to; what is not given stays as it is. */
export type Wanted = Partial<Pick<VmSpec, "memory" | "cpus" | "network" | "acceleration" | "shares">>;

/**
 * Takes effect at the next boot. `changed` are the names of the properties that an update is about. Throws before anything is
 * changed where the host lacks what is asked for.
 */
export async function changeDefinition(
  connection: Connection,
  domain: Domain,
  wanted: Wanted,
  changed: readonly string[],
): Promise<void> {
  const { memory, cpus, network, acceleration } = wanted;
  const before = await dumpDomain(connection, domain.uuid);
  let xml = before;
  if (changed.includes("memory") && memory !== undefined) xml = setMemory(xml, memory);
  if (changed.includes("cpus") && cpus !== undefined) xml = setCpus(xml, cpus);
  if (changed.includes("acceleration") && acceleration !== undefined)
    xml = setAcceleration(xml, (await detectAcceleration({ root: "/" }, acceleration)).acceleration);
  const [mac] = domain.macs;
  if (changed.includes("network") && network !== undefined && mac !== undefined) {
    await checkNetwork(connection, network);
    xml = setNetwork(xml, mac, network === "user" ? undefined : network);
  }
  if (changed.includes("shares")) xml = await withShares(xml, wanted.shares ?? []);
  if (xml !== before) await defineDomain(connection, xml);
}

async function withShares(xml: string, shares: readonly SharedDirectory[]): Promise<string> {
  await checkShares(shares);
  const credentials = readCredentials(xml);
  delete credentials["vms.shares"];
  return replaceCredentials(replaceShares(xml, shares), { ...credentials, ...sharesCredential(shares) });
}
