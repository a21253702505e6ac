/** libvirt under systemd: one daemon (libvirtd) or one a driver (virtqemud, virtnetworkd, ...), never both. */
import { run } from "./command.js";
import type { Finding } from "./requirement.js";

/** The daemons that VMs of ours need; those that a host does not have are part of another there. */
const modularDaemons = [
  "virtqemud",
  "virtnetworkd",
  "virtstoraged",
  "virtsecretd",
  "virtnodedevd",
  "virtnwfilterd",
  "virtlogd",
  "virtproxyd",
];

interface Daemon {
  readonly name: string;
  readonly installed: boolean;
  readonly enabled: boolean;
  readonly active: boolean;
}

export async function systemdService(): Promise<Finding | undefined> {
  const daemons = await readDaemons(["libvirtd", ...modularDaemons]);
  const needed = chooseDaemons(daemons);
  const lacking = needed.filter((daemon) => !daemon.enabled || !daemon.active);
  if (lacking.length === 0) return undefined;
  const names = (some: readonly Daemon[]): string => some.map((daemon) => daemon.name).join(", ");
  const stopped = lacking.filter((daemon) => !daemon.active);
  const reason =
    stopped.length > 0
      ? `${names(stopped)} ${stopped.length === 1 ? "does" : "do"} not run`
      : `${names(lacking)} ${lacking.length === 1 ? "does" : "do"} not start with the host`;
  return {
    reason,
    // The services, not only their sockets: VMs that start with the host wait for nobody to connect.
    commands: [
      { argv: ["systemctl", "enable", "--now", ...lacking.map((daemon) => `${daemon.name}.service`)], timeout: 120 },
    ],
    hint: `See why: systemctl status ${lacking.map((daemon) => `${daemon.name}.service`).join(" ")}`,
  };
}

/** What is in use counts; where nothing is, the one daemon, which every distribution of ours still ships. */
function chooseDaemons(daemons: readonly Daemon[]): readonly Daemon[] {
  const find = (name: string): Daemon =>
    daemons.find((daemon) => daemon.name === name) ?? { name, installed: false, enabled: false, active: false };
  const used = (daemon: Daemon): boolean => daemon.enabled || daemon.active;
  const [libvirtd, virtqemud] = [find("libvirtd"), find("virtqemud")];
  const modular = used(virtqemud) ? !used(libvirtd) : !used(libvirtd) && !libvirtd.installed && virtqemud.installed;
  return modular ? modularDaemons.map(find).filter((daemon) => daemon.installed) : [libvirtd];
}

async function readDaemons(names: readonly string[]): Promise<Daemon[]> {
  const units = names.flatMap((name) => [`${name}.service`, `${name}.socket`]);
  const { stdout } = await run(["systemctl", "show", "--property=Id,LoadState,UnitFileState,ActiveState", ...units]);
  const blocks = stdout
    .split(/\n\s*\n/)
    .map((block) => new Map(block.split("\n").map((line) => splitAt(line.trim(), "="))));
  const found = new Map(blocks.map((block) => [block.get("Id") ?? "", block]));
  const either = (name: string, test: (unit: Map<string, string>) => boolean): boolean =>
    [`${name}.service`, `${name}.socket`].some((unit) => test(found.get(unit) ?? new Map<string, string>()));
  return names.map((name) => ({
    name,
    installed: either(name, (unit) => unit.get("LoadState") === "loaded"),
    enabled: either(name, (unit) => /^(enabled|static|indirect)/.test(unit.get("UnitFileState") ?? "")),
    active: either(name, (unit) => /^(active|activating|reloading)$/.test(unit.get("ActiveState") ?? "")),
  }));
}

function splitAt(line: string, mark: string): [string, string] {
  const at = line.indexOf(mark);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
