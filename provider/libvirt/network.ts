/** The libvirt network "default": defined, started, and started with the host. VMs with `network: "user"` need none. */
import { join } from "node:path";
import { hasCode, toVmsError } from "../errors.js";
import type { Command, Finding, Requirement } from "../host/requirement.js";
import { packageFiles } from "../paths.js";
import { type Connection, virsh } from "./virsh.js";

export interface NetworkState {
  readonly active: boolean;
  readonly autostart: boolean;
}

/** undefined: there is no network of that name. Throws VmsError where libvirt cannot be asked. */
export async function readNetwork(connection: Connection, name: string): Promise<NetworkState | undefined> {
  try {
    const text = await virsh(connection, ["net-info", "--network", name]);
    const yes = (field: string): boolean => new RegExp(`^${field}:\\s+yes`, "m").test(text);
    return { active: yes("Active"), autostart: yes("Autostart") };
  } catch (error) {
    if (/network not found|no network with matching/i.test(toVmsError(error).reason)) return undefined;
    throw error;
  }
}

const connection: Connection = "qemu:///system";
const name = "default";

export const defaultNetwork: Requirement = {
  id: "network",
  description: `the libvirt network "${name}"`,
  fatal: false,
  right: "libvirt",
  settle: 0,
  probe: async () => {
    try {
      return findingOf(await readNetwork(connection, name));
    } catch (error) {
      if (!hasCode(error, "requirement", "unreachable", "permission")) throw error;
      return finding("libvirt cannot be asked for it yet", [start, autostart]);
    }
  },
};

const command = (...args: string[]): Command => ({ argv: ["virsh", "--quiet", "--connect", connection, ...args] });
const start = command("net-start", name);
const autostart = command("net-autostart", name);

function findingOf(state: NetworkState | undefined): Finding | undefined {
  if (state === undefined) {
    const definition = join(packageFiles.root, "templates", "default-network.xml");
    return finding("it is not defined", [command("net-define", "--file", definition), autostart, start]);
  }
  const commands = [...(state.autostart ? [] : [autostart]), ...(state.active ? [] : [start])];
  if (commands.length === 0) return undefined;
  return finding(state.active ? "it does not start with the host" : "it is not started", commands);
}

function finding(reason: string, commands: readonly Command[]): Finding {
  const hint = `VMs with network: "user" need none; for those on "${name}" mend what libvirt says, then run: virsh --connect ${connection} net-start ${name}`;
  return { reason, commands, hint };
}
