import { hasCode } from "../errors.js";
import { runInGuest } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";

/** In seconds. */
const limit = 10;

/**
 * What became of it: it has been told, or stands already; or the guest could not be asked or not do it, as while it boots. A line forgets
 * its size where nobody has it open, so what was told in a boot may not stand.
 */
export type SerialSize = "told" | "stands" | "unheard" | "gone";

/** Its arguments are the rows and the columns. */
const script = `
line=/dev/ttyS0
size=$(stty -F "$line" size) || exit 1
if [ "$size" = "$1 $2" ]; then echo stands; exit; fi
stty -F "$line" rows "$1" cols "$2" && echo told
`;

/**
 * Tells the guest how large the window is in which its serial console is shown: a serial line itself carries no size. The guest's kernel
 * tells the programs on the line.
 */
export async function setSerialSize(
  connection: Connection,
  uuid: string,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Promise<SerialSize> {
  try {
    const args = ["-c", script, "sh", String(rows), String(columns)];
    const { output } = await runInGuest(connection, uuid, "/bin/sh", args, limit);
    // Behind it may be what a shell says of a locale that is not there.
    const said = output.split("\n")[0];
    return said === "stands" || said === "told" ? said : "unheard";
  } catch (error) {
    if (hasCode(error, "gone")) return "gone";
    if (hasCode(error, "command", "guest")) return "unheard";
    throw error;
  }
}
