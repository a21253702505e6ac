/** Where a new VM's console is logged: by its name, where that log is not the one of a VM that has got another name since. */
import { exists } from "../host/existence.js";
import { listFileUsers } from "../libvirt/domain-files.js";
import type { Connection } from "../libvirt/virsh.js";
import type { Settings } from "../settings.js";
import { consoleLogPath } from "../storage/store.js";

export async function newConsoleLog(
  connection: Connection,
  settings: Settings,
  name: string,
  uuid: string,
): Promise<string> {
  const path = consoleLogPath(settings, name);
  // What a failure left is written over, and nobody need be asked where there is none.
  if (!(await exists(path))) return path;
  const users = await listFileUsers(connection);
  const taken = users.some((user) => user.name !== name && user.files.includes(path));
  return taken ? consoleLogPath(settings, `${name}-${uuid.slice(0, 8)}`) : path;
}
