import { cannot, VmsError } from "../provider/errors.js";
import { type AddressSearch, type AddressSource, findAddress } from "../provider/libvirt/guest-agent.js";
import { readLive } from "../provider/libvirt/live.js";
import { type Active, findActive } from "../provider/vm/running.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";

export interface IpOptions {
  readonly name: string;
  readonly json?: boolean;
}

/** `vms ip`: the address of a VM that runs, and nothing else, so that it can stand in another command. */
export async function run({ name, json }: IpOptions, context: CliContext): Promise<void> {
  try {
    const vm = await findActive(connection, name);
    const search = await findAddress(connection, vm.uuid, { seconds: patience, signal: context.signal });
    if (search.found === undefined) throw unknown(vm, search);
    const { address, source } = search.found;
    context.print(json === true ? JSON.stringify({ name: vm.name, address, source }, undefined, 2) : address);
    const nics = (await readLive(connection, vm.uuid))?.interfaces ?? [];
    if (nics.length > 0 && nics.every(({ network }) => network === undefined))
      context.progress.notice(
        "It is on no network of libvirt's: in qemu's user mode it reaches out, and only its console reaches it",
      );
  } catch (error) {
    throw cannot("find the address of", "VM", name, error);
  }
}

/** In seconds. */
const patience = 30;

const asked: Record<AddressSource, string> = {
  lease: "libvirt's DHCP leases",
  agent: "the guest agent",
  arp: "the host's ARP table",
};

function unknown({ name, paused }: Active, { inVain }: AddressSearch): VmsError {
  const answers = inVain.map(({ source, said }) => `${asked[source]}: ${said === "" ? "none" : said}`);
  return new VmsError("guest", `none is known (${answers.join("; ")})`, {
    hint: paused
      ? `It is paused. Let it go on: vms start ${name}`
      : `It may still boot: vms start ${name} --wait waits until it has one. Its console: vms console ${name}`,
  });
}
