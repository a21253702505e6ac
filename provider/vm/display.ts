/** The display of a VM, and whether somebody looks at it. */
import { readFile } from "node:fs/promises";
import { type Connection, virsh } from "../libvirt/virsh.js";

/** Its URI. Throws VmsError (command) where it has none, as an install. */
export function displayOf(connection: Connection, uuid: string): Promise<string> {
  return virsh(connection, ["domdisplay", uuid]);
}

/** The TCP port of a URI on this host; undefined where it is a socket. */
export const portOf = (uri: string): number | undefined => {
  const port = /^\w+:\/\/[^/]*:(\d+)/.exec(uri)?.[1];
  return port === undefined ? undefined : Number(port);
};

/** How many connections programs of this host have to a port of it, as the kernel's tables say (proc(5)). */
export async function countClients(port: number): Promise<number> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const remote = new RegExp(`:${port.toString(16).toUpperCase().padStart(4, "0")}$`);
  const lines = tables.flatMap((table) => table.split("\n").slice(1)).map((line) => line.trim().split(/\s+/));
  return lines.filter(([, , to = "", state]) => state === established && remote.test(to)).length;
}

const established = "01";
