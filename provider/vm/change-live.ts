/** Changes that a VM takes while it runs. Its definition has them already: what cannot be taken now waits for the next boot. */
import type { Context } from "../context.js";
import { hasCode, toVmsError } from "../errors.js";
import { dumpRunning, updateDevice } from "../libvirt/domain.js";
import { interfaceXml, setNetwork } from "../libvirt/domain-edit.js";
import { type LiveDomain, readLive, takesCpus, takesMemory, takesNetwork } from "../libvirt/live.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import type { Wanted } from "./definition.js";

/** Of what libvirt does not allow in every case, whether a VM that runs can take it. */
export const takesLive: Readonly<Record<string, (live: LiveDomain, wanted: Wanted) => boolean>> = {
  memory: (live, { memory }) => memory !== undefined && takesMemory(live, memory),
  cpus: (live, { cpus }) => cpus !== undefined && takesCpus(live, cpus),
  network: (live, { network }) => network !== undefined && takesNetwork(live, network),
};

/** Gives a running VM what changed of its memory, cpus and network, and says what it takes only when it is started again. */
export async function changeLive(
  connection: Connection,
  uuid: string,
  wanted: Wanted,
  changed: readonly string[],
  context: Context,
): Promise<void> {
  const live = await readLive(connection, uuid);
  const steps = {
    memory: () => virsh(connection, ["setmem", uuid, `${wanted.memory}MiB`, "--live"]),
    cpus: () => virsh(connection, ["setvcpus", uuid, String(wanted.cpus), "--live"]),
    network: () => reconnect(connection, uuid, live, wanted.network),
  };
  for (const [name, take] of Object.entries(steps)) {
    const given = wanted[name as keyof typeof steps] !== undefined;
    if (live !== undefined && given && changed.includes(name)) await takeOrWait(name, take, live, wanted, context);
    context.reached?.(`change: ${name as keyof typeof steps} set`);
  }
  if (live === undefined) return;
  for (const name of ["acceleration", "shares"]) if (changed.includes(name)) context.progress.notice(waits(name));
}

async function takeOrWait(
  name: string,
  take: () => Promise<unknown>,
  live: LiveDomain,
  wanted: Wanted,
  context: Context,
): Promise<void> {
  if (takesLive[name]?.(live, wanted) !== true) {
    context.progress.notice(waits(name));
    return;
  }
  try {
    await take();
  } catch (error) {
    // A guest may refuse to give a processor back, for one.
    if (!hasCode(error, "command")) throw error;
    context.progress.notice(`${waits(name)}; now it is not possible: ${toVmsError(error).reason}`);
  }
}

const waits = (name: string): string => `the new ${name} count from the next boot on (a power-off and a start)`;

/** To another libvirt network. The cable is unplugged meanwhile, so that the guest asks for an address of the new one. */
async function reconnect(
  connection: Connection,
  uuid: string,
  live: LiveDomain | undefined,
  network: string | undefined,
): Promise<void> {
  const [nic] = live?.interfaces ?? [];
  if (network === undefined || nic?.mac === undefined || (nic.network === network && nic.linked)) return;
  const { mac } = nic;
  const link = (state: "up" | "down") => virsh(connection, ["domif-setlink", uuid, mac, state]);
  await link("down");
  try {
    const xml = setNetwork(await dumpRunning(connection, uuid), mac, network);
    await updateDevice(connection, uuid, interfaceXml(xml, mac));
  } finally {
    await link("up");
  }
}
