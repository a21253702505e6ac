/**
 * libvirt where no systemd runs (a container, another init): dbus-daemon, virtlogd and libvirtd, each of which puts itself into the
 * background and so outlives us. A second libvirtd is never started beside a running one: it fails, and takes the sockets of the
 * running one away.
 */
import { connect } from "node:net";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { olderThanBus } from "./message-bus.js";
import { findProgram } from "./programs.js";
import type { Command, Finding, Host } from "./requirement.js";

interface Daemon {
  readonly name: string;
  readonly socket: string;
  /** What starts it, on the host whose file system begins there. */
  readonly start: (root: string) => readonly Command[];
}

const dbus: Daemon = {
  name: "dbus-daemon",
  socket: "/run/dbus/system_bus_socket",
  start: (root) => [
    { argv: ["mkdir", "-p", join(root, "/run/dbus")] },
    // The pid file of one that was killed would keep it from starting.
    { argv: ["rm", "-f", join(root, "/run/dbus/pid")] },
    { argv: ["dbus-daemon", "--system", "--fork"] },
  ],
};

function daemon(name: string, socket: string): Daemon {
  return { name, socket: `/run/libvirt/${socket}`, start: () => [{ argv: [name, "-d"] }] };
}

const virtlogd = daemon("virtlogd", "virtlogd-sock");
const libvirtd = daemon("libvirtd", "libvirt-sock");
const drivers = ["virtnetworkd", "virtstoraged", "virtsecretd", "virtnodedevd", "virtnwfilterd", "virtqemud"];
const modular = drivers.map((name) => daemon(name, `${name}-sock`));

export async function detachedService(host: Host): Promise<Finding | undefined> {
  const processes = await readRootProcesses(host);
  const needed = [dbus, virtlogd, ...(await libvirtDaemons(host, processes))];
  const silent: string[] = [];
  const stopped: Daemon[] = [];
  for (const candidate of needed) {
    const pid = processes.get(candidate.name);
    const answer = await knock(join(host.root, candidate.socket));
    // A socket that we have no right to may be one that its daemon left behind.
    if (answer === "yes" || (answer === "denied" && pid !== undefined)) continue;
    // A system's message bus runs as a user of its own and has many of its kind beside it: its socket alone counts.
    if (pid === undefined || candidate === dbus) stopped.push(candidate);
    else silent.push(`${candidate.name} runs (process ${pid}) but does not answer at ${candidate.socket}`);
  }
  if (silent.length > 0)
    return { reason: silent.join("; "), commands: [], hint: "End that process, then run: vms bootstrap" };
  if (stopped.length === 0) return olderThanBus(processes.get("libvirtd"), host);
  return {
    reason: `${stopped.map(({ name }) => name).join(", ")} ${stopped.length === 1 ? "does" : "do"} not run (and no systemd to start ${stopped.length === 1 ? "it" : "them"})`,
    commands: stopped.flatMap(({ start }) => start(host.root)),
    hint: "See what it says: sudo libvirtd --verbose",
  };
}

async function libvirtDaemons(host: Host, processes: ReadonlyMap<string, number>): Promise<readonly Daemon[]> {
  if (processes.has("libvirtd")) return [libvirtd];
  const installed = (name: string): Promise<boolean> => findProgram(host, name).then((path) => path !== undefined);
  if (!processes.has("virtqemud") && ((await installed("libvirtd")) || !(await installed("virtqemud"))))
    return [libvirtd];
  const present: Daemon[] = [];
  for (const candidate of modular) if (await installed(candidate.name)) present.push(candidate);
  return present;
}

/** Names and process ids of what runs as root: a user's own libvirtd (qemu:///session) is none of ours. */
async function readRootProcesses(host: Host): Promise<Map<string, number>> {
  const directory = join(host.root, "/proc");
  const found = new Map<string, number>();
  for (const pid of await readdir(directory)) {
    if (!/^\d+$/.test(pid)) continue;
    // A process may end while we look.
    const status = await readFile(join(directory, pid, "status"), "utf8").catch(() => "");
    const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
    if (field("Uid") === "0" && field("State") !== "Z") found.set(field("Name"), Number(pid));
  }
  return found;
}

/** Whether something listens there. */
async function knock(path: string): Promise<"yes" | "no" | "denied"> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (answer: "yes" | "no" | "denied"): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => finish("no"));
    socket.on("connect", () => finish("yes"));
    socket.on("error", (error: NodeJS.ErrnoException) => finish(error.code === "EACCES" ? "denied" : "no"));
  });
}
