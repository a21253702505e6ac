/** What a test asks inside of a guest: by its agent, as root. */
import { runInGuest } from "../../provider/libvirt/guest-agent.js";
import { eventually } from "./scene.js";
import { connection, virsh } from "./store.js";

/** Runs a shell command in the guest and returns what it printed; throws where it fails. */
export async function inGuest(uuid: string, command: string, seconds = 120): Promise<string> {
  const { status, output } = await runInGuest(connection, uuid, "/bin/bash", ["-c", command], seconds);
  if (status !== 0) throw new Error(`in the guest: ${command}: status ${status}: ${output}`);
  return output;
}

/** From inside: the same qemu goes on. Returns when the next boot has come so far that it answers; throws after `milliseconds`. */
export async function reboot(id: string, milliseconds: number): Promise<void> {
  const ask = "cat /proc/sys/kernel/random/boot_id";
  const before = await inGuest(id, ask);
  virsh("reboot", id, "--mode", "agent");
  // On its way down and up it does not answer.
  await eventually(async () => (await inGuest(id, ask).catch(() => before)) !== before, milliseconds);
}
