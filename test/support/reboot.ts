/** A guest's reboot, for tests that run under mocha: what else asks guests runs without it too. */
import { inGuest } from "./guest.js";
import { eventually } from "./scene.js";
import { virsh } from "./store.js";

/** From inside: the same qemu goes on. Returns when the next boot has come so far that it answers; throws after `milliseconds`. */
export async function reboot(id: string, milliseconds: number): Promise<void> {
  const ask = "cat /proc/sys/kernel/random/boot_id";
  const before = await inGuest(id, ask);
  virsh("reboot", id, "--mode", "agent");
  // On its way down and up it does not answer.
  await eventually(async () => (await inGuest(id, ask).catch(() => before)) !== before, milliseconds);
}
