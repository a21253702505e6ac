/** What keeps guests on libvirt's networks from the world, though the networks are there: forwarding, and the firewalls of others. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { VmsError } from "../errors.js";
import { attempt } from "./command.js";
import { findProgram, searchPath } from "./programs.js";
import type { Check } from "./requirement.js";

const orUser = 'VMs with network: "user" do not need it';

export const forwarding: Check = {
  id: "forwarding",
  description: "forwarding of IPv4 for guests on libvirt's networks",
  fatal: false,
  right: "root",
  probe: async (host) => {
    const value = await readFile(join(host.root, "/proc/sys/net/ipv4/ip_forward"), "utf8");
    if (value.trim() !== "0") return undefined;
    return {
      reason: "it is off, so guests reach nothing but this host",
      commands: [{ argv: ["sysctl", "-w", "net.ipv4.ip_forward=1"] }],
      hint: `libvirt switches it on when a network starts. ${orUser}`,
    };
  },
};

/** The bridge of libvirt's default network. */
const bridge = "virbr0";

/**
 * Docker and ufw drop what is forwarded and is not theirs. Rules of libvirt's in the same table let its guests through; in a table
 * of its own (nftables, from libvirt 10.4 on) they cannot, as what one table drops is dropped.
 */
export const firewall: Check = {
  id: "firewall",
  description: "a firewall that lets guests of libvirt's networks through",
  fatal: false,
  right: "root",
  probe: async (host) => {
    if ((await findProgram(host, "iptables")) === undefined) return undefined;
    if (host.uid !== 0)
      throw new VmsError("permission", "only root may read the firewall's rules", { hint: "Run: sudo vms doctor" });
    // libvirt changes the table with each network, and locks it meanwhile.
    const { status, stdout, stderr } = await attempt(["iptables", "-w", "5", "-S", "FORWARD"], {
      env: { PATH: searchPath(host) },
    });
    if (status !== 0) throw new VmsError("command", `iptables: ${stderr}`);
    if (!/^-P FORWARD DROP$/m.test(stdout) || new RegExp(`^-A FORWARD .*(LIBVIRT_FW|${bridge})`, "m").test(stdout))
      return undefined;
    const allow = (...words: string[]): [string, ...string[]] => [
      "iptables",
      "-I",
      "FORWARD",
      ...words,
      "-j",
      "ACCEPT",
    ];
    return {
      reason: "what is forwarded is dropped, and nothing lets libvirt's guests through (docker and ufw do that)",
      commands: [
        { argv: allow("-i", bridge) },
        { argv: allow("-o", bridge, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED") },
      ],
      hint: `With ufw: ufw route allow in on ${bridge}. ${orUser}`,
    };
  },
};
