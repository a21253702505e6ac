/** Everything that VMs need of a host, looked at and told one by one: what `bootstrap` mends, and what only its user can. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { requirements, thisHost } from "./bootstrap.js";
import type { Context } from "./context.js";
import { toVmsError } from "./errors.js";
import { kvmThere, processorFlags } from "./host/acceleration.js";
import { exists } from "./host/existence.js";
import { firewall, forwarding } from "./host/forwarding.js";
import { needsNewLogin } from "./host/membership.js";
import { findProgram } from "./host/programs.js";
import { archMirror, canReach } from "./host/reach.js";
import { type Check, type Command, type Finding, type Host, libvirtGroup, showCommand } from "./host/requirement.js";
import { packageFiles } from "./paths.js";
import { silent } from "./progress.js";
import { resolveSettings } from "./settings.js";
import { freeSpace } from "./storage/disk-space.js";
import { archRelease } from "./storage/iso-official.js";
import { parseIsoInput } from "./storage/iso-input.js";
import { findEarlier, nameInUrl } from "./storage/iso-remote.js";
import { formatSize } from "./storage/size.js";

export interface Examined {
  readonly id: string;
  readonly description: string;
  /** unknown: it could not be looked at, and the reason says why. */
  readonly state: "good" | "bad" | "unknown";
  /** Without it no VM can run. */
  readonly needed: boolean;
  readonly reason?: string;
  /** What mends it, as a user would type it. */
  readonly commands: readonly string[];
  readonly hint?: string;
}

/** Looks at all of it, whatever comes of the one before; changes nothing. `more` is what only the caller knows of. */
export async function examineHost(context: Context, more: readonly Check[]): Promise<Examined[]> {
  const host = thisHost(context, {});
  const show = host.uid === 0 ? showCommand : await asRoot(host);
  const examined: Examined[] = [];
  for (const check of [node, processorFlags, kvmThere, ...requirements, ...afterwards, ...more]) {
    host.signal?.throwIfAborted();
    const { id, description, fatal: needed } = check;
    try {
      const finding = await check.probe(host);
      const base = { id, description, needed };
      const shown = check.right === "root" ? show : showCommand;
      examined.push(finding === undefined ? { ...base, state: "good", commands: [] } : bad(base, finding, shown));
    } catch (error) {
      const { code, reason, hint } = toVmsError(error);
      if (code === "cancelled") throw error;
      const state = { id, description, needed, state: "unknown", reason, commands: [] } as const;
      examined.push(hint === undefined ? state : { ...state, hint });
    }
  }
  return examined;
}

type Show = (command: Command) => string;

/** How one who is not root types what takes root's rights. */
async function asRoot(host: Host): Promise<Show> {
  const sudo = (await findProgram(host, "sudo")) !== undefined;
  return (command) =>
    sudo ? `sudo ${showCommand(command)}` : showCommand({ argv: ["su", "-c", showCommand(command)] });
}

function bad(
  base: Pick<Examined, "id" | "description" | "needed">,
  { reason, commands, hint }: Finding,
  show: Show,
): Examined {
  return { ...base, state: "bad", reason, commands: commands.map(show), ...(hint === undefined ? {} : { hint }) };
}

const node: Check = {
  id: "node",
  description: "Node.js",
  fatal: true,
  probe: async () => {
    const text = await readFile(join(packageFiles.root, "package.json"), "utf8");
    const least = (JSON.parse(text) as { engines: { node: string } }).engines.node.replace(/^>=/, "");
    const [[major = 0, minor = 0], [leastMajor = 0, leastMinor = 0]] = [process.versions.node, least].map((version) =>
      version.split(".").map(Number),
    ) as [number[], number[]];
    if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return undefined;
    return { reason: `it is ${process.versions.node}`, commands: [], hint: `Install Node.js ${least} or later` };
  },
};

const login: Check = {
  id: "login",
  description: `a login with the group ${libvirtGroup}`,
  fatal: true,
  probe: async ({ uid }) => {
    if (!(await needsNewLogin(uid))) return undefined;
    return {
      reason: "this login began before you were in the group, or you are not in it",
      commands: [],
      hint: `Log in again; until then: newgrp ${libvirtGroup}`,
    };
  },
};

/** In bytes: what an image and a first VM take. */
const leastRoom = 3 * 1024 ** 3;

const room: Check = {
  id: "room",
  description: "room for disks",
  fatal: true,
  probe: async ({ settings }) => {
    if (!(await exists(settings.images))) return undefined;
    const free = await freeSpace(settings.images);
    if (free >= leastRoom) return undefined;
    return {
      reason: `${formatSize(free)} free in ${settings.images}, and an image and a VM take about ${formatSize(leastRoom)}`,
      commands: [],
      hint: `Make room there (df -h ${settings.images}; vms images shows what is ours), or set VMS_IMAGES`,
    };
  },
};

/** Nothing is verified here: whoever installs from it does that. */
const iso: Check = {
  id: "iso",
  description: "an Arch ISO to install from",
  fatal: false,
  probe: async ({ settings, signal }) => {
    const source = parseIsoInput(resolveSettings().defaults.archIso);
    if (source.kind === "path") {
      if (await exists(source.path)) return undefined;
      const hint = "VMS_ARCH_ISO names it: correct it, or leave it out";
      return { reason: `${source.path} is not there`, commands: [], hint };
    }
    const { url } = source.kind === "url" ? source : archRelease;
    const fetched =
      source.kind === "url"
        ? (await findEarlier(url, { settings, progress: silent })) !== undefined
        : await exists(join(settings.iso, nameInUrl(url)));
    if (fetched || (await canReach(source.kind === "url" ? url : archMirror, signal))) return undefined;
    return {
      reason: `none has been fetched into ${settings.iso} yet, and ${new URL(url).host} cannot be reached`,
      commands: [],
      hint: "Bring one and name it: vms create NAME --iso PATH, or VMS_ARCH_ISO. VMs on an image that is there need none",
    };
  },
};

/** What counts once all is there that bootstrap brings. */
const afterwards: readonly Check[] = [login, forwarding, firewall, room, iso];
