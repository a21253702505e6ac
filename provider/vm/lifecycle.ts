/** Starting and stopping a VM. A graceful stop never turns into a forced one by itself: only kill and delete force. */
import type { Context } from "../context.js";
import { Deadline } from "../host/deadline.js";
import { hasCode, VmsError } from "../errors.js";
import { inSlot } from "../host/slots.js";
import { awaitOff, startDomain } from "../libvirt/power.js";
import { isOff, makePersistent } from "../libvirt/domain.js";
import { agentAnswers } from "../libvirt/guest-agent.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { awaitReady, type Booting } from "./ready.js";

/** Starts a VM when the host has room for one more that boots, and waits until it is ready. */
export async function startVm(guest: Booting, acceleration: "kvm" | "tcg", context: Context): Promise<void> {
  await inSlot(acceleration, context, async () => {
    context.progress.phase("starting");
    // Somebody may have started it while it waited.
    if (await isOff(guest.connection, guest.uuid)) await startDomain(guest.connection, guest.uuid, context);
    context.reached?.("start: powered on");
    await awaitReady(guest, context);
    context.reached?.("start: ready");
  });
}

/** Asks the guest to power off and waits until it is off. Throws VmsError (guest) where it does not do it in time. */
export async function shutDown(connection: Connection, uuid: string, seconds: number, context: Context): Promise<void> {
  if (await isOff(connection, uuid)) return;
  const { off, by } = await askToPowerOff(connection, uuid, seconds, context);
  if (!off) {
    throw new VmsError("guest", `the guest did not power off within ${seconds} s (asked by ${by})`, {
      hint: `Look at its console, or force it off: virsh -c ${connection} destroy ${uuid}`,
    });
  }
  context.reached?.("stop: off");
}

export interface PowerOff {
  readonly off: boolean;
  /** Who asked the guest, in words. */
  readonly by: string;
}

/** Of the time that a guest has: how much of it its agent's word is waited for before the power button is pressed as well. */
const agentShare = 0.5;

/** In seconds: how long a press of the power button is waited for. A guest that still boots may not have seen it. */
const pressShare = 10;

/**
 * By its agent as soon as that answers, once, and by the power button, again and again, while it does not or where that does not help;
 * waits until it is off or the time is over.
 */
export async function askToPowerOff(
  connection: Connection,
  uuid: string,
  seconds: number,
  context: Context,
): Promise<PowerOff> {
  await makePersistent(connection, uuid);
  const deadline = new Deadline(seconds);
  const asked = new Set<"agent" | "acpi">();
  let off = false;
  do {
    const byAgent = !asked.has("agent") && (await agentAnswers(connection, uuid, deadline.remaining / 2000));
    const share = deadline.within(byAgent ? seconds * agentShare : pressShare);
    await order(connection, uuid, byAgent ? "agent" : "acpi", share, context);
    if (asked.size === 0) context.reached?.("stop: asked");
    asked.add(byAgent ? "agent" : "acpi");
    off = await awaitOff(connection, uuid, share, context.signal);
  } while (!off && !deadline.passed);
  return { off, by: [...asked].map((mode) => inWords[mode]).join(", then by ") };
}

const inWords = { agent: "its guest agent", acpi: "ACPI" } as const;

async function order(
  connection: Connection,
  uuid: string,
  mode: "agent" | "acpi",
  deadline: Deadline,
  { signal }: Context,
): Promise<void> {
  // libvirt waits for the end of a guest that its agent shuts down, for a minute.
  const timeout = Math.max(1, deadline.remaining / 1000);
  try {
    await virsh(connection, ["shutdown", uuid, "--mode", mode], { timeout, signal });
  } catch (error) {
    // The agent may be gone with the guest before it can answer, and a guest that is off already cannot be asked.
    if (!hasCode(error, "command")) throw error;
  }
}

/** Throws where a VM could not be connected to the network: before anything is made for it. */
export async function checkNetwork(connection: Connection, network: string): Promise<void> {
  if (network === "user") return;
  const active = (await virsh(connection, ["net-list", "--name"])).split("\n").map((line) => line.trim());
  if (active.includes(network)) return;
  const all = (await virsh(connection, ["net-list", "--all", "--name"])).split("\n").map((line) => line.trim());
  throw all.includes(network)
    ? new VmsError("requirement", `the libvirt network ${JSON.stringify(network)} is not active`, {
        hint: `Run: virsh -c ${connection} net-start ${network}   (or give network: "user", which needs none)`,
      })
    : new VmsError("input", `there is no libvirt network ${JSON.stringify(network)}`, {
        hint: `There are: ${all.filter((name) => name !== "").join(", ") || "none"}. network: "user" needs none`,
      });
}
