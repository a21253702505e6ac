/** A guest's reboot, for tests that run under mocha: what else asks guests runs without it too. */
import { attempt } from "../../provider/host/command.js";
import { inGuest } from "./guest.js";
import { eventually } from "./scene.js";
import { connection } from "./store.js";

/**
 * From inside: the same qemu goes on. Returns when the next boot has come so far that it answers, and then whether the agent had
 * time to say that it did as it was told; throws after `milliseconds`.
 */
export async function reboot(id: string, milliseconds: number): Promise<boolean> {
  const ask = "cat /proc/sys/kernel/random/boot_id";
  const before = await inGuest(id, ask);
  // systemd may end the agent, and the shutdown that it started, before they have answered: what counts is the next boot.
  const order = await attempt(["virsh", "--connect", connection, "reboot", id, "--mode", "agent"], { timeout: 0 });
  // On its way down and up it does not answer.
  const again = async (): Promise<boolean> => (await inGuest(id, ask).catch(() => before)) !== before;
  await eventually(again, milliseconds).catch((error: unknown) => {
    throw new Error(`${id} was not rebooted; virsh said: ${order.stdout}${order.stderr}`, { cause: error });
  });
  return order.status === 0;
}
