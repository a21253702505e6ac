/**
 * A libvirtd that lets in nobody but root. It asks polkit who may use it, and looks for the message bus that leads there once, when
 * it starts (libvirt's virgdbus.c): one that was started before the bus never finds it.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { attempt } from "./command.js";
import type { Finding, Host } from "./requirement.js";

export async function olderThanBus(libvirtd: number | undefined, host: Host): Promise<Finding | undefined> {
  if (libvirtd === undefined || !(await needsBus(host))) return undefined;
  const [own, bus] = [await startOf(libvirtd, host), await startOf(await busProcess(host), host)];
  if (own === undefined || bus === undefined || own >= bus) return undefined;
  const reason = "libvirtd runs since before the message bus, and can let in nobody but root";
  const hint = `End process ${libvirtd}, then run: vms bootstrap`;
  // What its guests do goes on without it, and then it is started.
  if (await isOurKind(libvirtd, host)) return { reason, commands: [{ argv: ["kill", String(libvirtd)] }], hint };
  // It may be what a container lives by, or have options that we do not know. Root is let in as it is.
  return host.uid === 0 ? undefined : { reason, commands: [], hint: "Start it again as it was started" };
}

/** Whether it is the host's, and was started as we start it. */
async function isOurKind(pid: number, host: Host): Promise<boolean> {
  const [program = "", ...args] = (await readOrNothing(join(host.root, "/proc", String(pid), "cmdline"))).split("\0");
  const recorded = Number(await readOrNothing(join(host.root, "/run/libvirtd.pid")));
  return recorded === pid && /(^|\/)libvirtd$/.test(program) && args.join(" ").trim() === "-d";
}

/** Whoever is refused knows it. root, who never is, goes by the configuration; where that says nothing it is polkit. */
async function needsBus(host: Host): Promise<boolean> {
  if (host.uid !== 0) {
    const said = await attempt(["virsh", "--connect", "qemu:///system", "uri"]).catch(() => undefined);
    return said !== undefined && said.status !== 0 && /system bus/i.test(said.stderr);
  }
  const configuration = await readOrNothing(join(host.root, "/etc/libvirt/libvirtd.conf"));
  const chosen = /^\s*auth_unix_rw\s*=\s*"(.*)"/m.exec(configuration)?.[1] ?? "polkit";
  return chosen === "polkit";
}

async function busProcess(host: Host): Promise<number | undefined> {
  const pid = Number(await readOrNothing(join(host.root, "/run/dbus/pid")));
  return pid > 0 ? pid : undefined;
}

/** In ticks since the host has started, so that a clock that was set does not matter (proc_pid_stat(5), field 22). */
async function startOf(pid: number | undefined, host: Host): Promise<number | undefined> {
  const text = pid === undefined ? "" : await readOrNothing(join(host.root, "/proc", String(pid), "stat"));
  // The name, in brackets, may have blanks in it.
  const ticks = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[19]);
  return Number.isNaN(ticks) ? undefined : ticks;
}

const readOrNothing = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
