/** What a test asks inside of a guest: by its agent, as root. */
import { runInGuest } from "../../provider/libvirt/guest-agent.js";
import { connection } from "./store.js";

/** Runs a shell command in the guest and returns what it printed; throws where it fails. */
export async function inGuest(uuid: string, command: string, seconds = 120): Promise<string> {
  const { status, output } = await runInGuest(connection, uuid, "/bin/bash", ["-c", command], seconds);
  if (status !== 0) throw new Error(`in the guest: ${command}: status ${status}: ${output}`);
  return output;
}
