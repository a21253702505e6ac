/** Starting and stopping a VM. A graceful stop never turns into a forced one by itself: only kill and delete force. */
import type { Context } from "../context.js";
import { Deadline, poll } from "../host/deadline.js";
import { hasCode, VmsError } from "../errors.js";
import { inSlot } from "../host/slots.js";
import { isOff } from "../libvirt/domain.js";
import { agentAnswers } from "../libvirt/guest-agent.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { awaitReady, type Booting } from "./ready.js";

/** Starts a VM when the host has room for one more that boots, and waits until it is ready. */
export async function startVm(guest: Booting, acceleration: "kvm" | "tcg", context: Context): Promise<void> {
  await inSlot(acceleration, context, async () => {
    context.progress.phase("starting");
    await virsh(guest.connection, ["start", guest.uuid]);
    context.reached?.("start: powered on");
    await awaitReady(guest, context);
    context.reached?.("start: ready");
  });
}

/** Asks the guest to power off, by its agent where that answers, else by the power button; waits until it is off. */
export async function shutDown(connection: Connection, uuid: string, seconds: number, context: Context): Promise<void> {
  if (await isOff(connection, uuid)) return;
  const mode = (await agentAnswers(connection, uuid)) ? "agent" : "acpi";
  try {
    await virsh(connection, ["shutdown", uuid, "--mode", mode]);
  } catch (error) {
    // The agent may be gone with the guest before it can answer.
    if (hasCode(error, "gone", "unreachable", "permission")) throw error;
  }
  context.reached?.("stop: asked");
  const off = await poll(async () => ((await isOff(connection, uuid)) ? true : undefined), {
    deadline: new Deadline(seconds),
    signal: context.signal,
  });
  if (off === undefined) {
    throw new VmsError("guest", `the guest did not power off within ${seconds} s (asked by ${mode})`, {
      hint: "Look at its console, or force it off: vms kill",
    });
  }
  context.reached?.("stop: off");
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
