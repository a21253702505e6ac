import { hasCode } from "../errors.js";
import { runInGuest } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";

/** The line of the serial console in the guest. */
const line = "/dev/ttyS0";

/** In seconds. */
const limit = 10;

/**
 * Tells the guest how large the window is in which its serial console is shown: a serial line itself carries no size. The guest's kernel
 * tells the programs on the line. Returns whether it could: without a guest agent it cannot.
 */
export async function setSerialSize(
  connection: Connection,
  uuid: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Promise<boolean> {
  try {
    const args = ["-F", line, "cols", String(columns), "rows", String(rows)];
    return (await runInGuest(connection, uuid, "/usr/bin/stty", args, limit)).status === 0;
  } catch (error) {
    if (hasCode(error, "command", "guest", "gone")) return false;
    throw error;
  }
}
