/** Making a host ready for VMs: what the resource HostBootstrap and `vms bootstrap` share. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "./context.js";
import { detectAcceleration } from "./host/acceleration.js";
import { resolveUser } from "./host/accounts.js";
import { readDistribution } from "./host/distribution.js";
import { type LockOptions, withLock } from "./host/lock.js";
import { needsNewLogin } from "./host/membership.js";
import { inspectHost, type Missing, type Prepared, prepareHost } from "./host/prepare.js";
import { findProgram } from "./host/programs.js";
import { type Host, type Requirement, showCommand } from "./host/requirement.js";
import { hostRequirements } from "./host/requirements.js";
import { hasCode } from "./errors.js";
import { defaultNetwork } from "./libvirt/network.js";
import { virsh } from "./libvirt/virsh.js";
import { packageFiles } from "./paths.js";
import { resolveSettings, type Settings } from "./settings.js";

/** For whom, and with what besides the usual. */
export interface BootstrapOptions {
  /** Default: who called sudo, else who runs this; for root itself nobody. */
  readonly user?: string | undefined;
  /** Packages of the host's distribution. */
  readonly packages?: readonly string[] | undefined;
}

export interface HostFacts {
  /** The ID of os-release: "debian", "arch", ... */
  readonly distribution: string;
  readonly acceleration: "kvm" | "tcg";
  /** Empty as long as libvirt does not answer. */
  readonly qemuVersion: string;
  readonly libvirtVersion: string;
}

export interface Bootstrapped {
  readonly facts: HostFacts;
  /** What was changed, a sentence each; empty where the host was ready. */
  readonly changed: readonly string[];
  /** The ids of what this host cannot have and VMs can do without. */
  readonly unavailable: readonly string[];
}

/** Everything that a host must have, in the order in which it is mended. */
export const requirements: readonly Requirement[] = [...hostRequirements, defaultNetwork];

/** What is missing on this host. Reads only, and needs no right. */
export function findMissing(context: Context, options: BootstrapOptions): Promise<Missing[]> {
  return inspectHost(requirements, thisHost(context, options));
}

/** Makes this host ready; run again it changes nothing. Throws VmsError (requirement, permission) before the first change. */
export async function bootstrap(context: Context, options: BootstrapOptions): Promise<Bootstrapped> {
  const host = thisHost(context, options);
  const command = await rootCommand(context.settings, options);
  const prepare = (): Promise<Prepared> => prepareHost(requirements, host, context.progress, command);
  const prepared = await (host.uid === 0 ? withLock(lockFile, prepare, waiting(context)) : prepare());
  if (prepared.changed.length > 0) await tellAboutEmulation(host, context);
  if (host.user !== undefined && (prepared.mended.includes("membership") || (await needsNewLogin(host.uid)))) {
    context.progress.notice(`${host.user} has to log in again to be in the libvirt group; until then: newgrp libvirt`);
  }
  return { facts: await readFacts(host), changed: prepared.changed, unavailable: prepared.unavailable };
}

/** Two at once would start daemons beside each other. Only root gets that far. */
const lockFile = "/run/vms-bootstrap.lock";

function waiting({ progress, signal }: Context): LockOptions {
  return { signal, onWait: () => progress.phase("waiting for another process that makes this host ready") };
}

async function tellAboutEmulation(host: Host, { progress }: Context): Promise<void> {
  const { reason } = await detectAcceleration(host);
  if (reason !== undefined) progress.notice(`VMs are emulated here, which is slow: ${reason}`);
}

/** Facts of this host; versions are empty where libvirt cannot be asked. */
export function readHostFacts(context: Context): Promise<HostFacts> {
  return readFacts(thisHost(context, {}));
}

async function readFacts(host: Host): Promise<HostFacts> {
  const { id } = await readDistribution(host);
  const { acceleration } = await detectAcceleration(host);
  const text = await readVersions();
  return {
    distribution: id,
    acceleration,
    qemuVersion: /^Running hypervisor: QEMU (\S+)/m.exec(text)?.[1] ?? "",
    libvirtVersion: /^Running against daemon: (\S+)/m.exec(text)?.[1] ?? "",
  };
}

async function readVersions(): Promise<string> {
  try {
    return await virsh("qemu:///system", ["version", "--daemon"]);
  } catch (error) {
    // Not installed, not running, or no right: the versions are not known, which is what is reported.
    if (hasCode(error, "requirement", "unreachable", "permission")) return "";
    throw error;
  }
}

/** This machine as the probes see it. */
export function thisHost({ settings, signal }: Context, { user, packages = [] }: BootstrapOptions): Host {
  return { root: "/", uid: process.getuid?.() ?? 0, user: resolveUser(user), packages, settings, signal };
}

/** The arguments of `vms bootstrap`, and behind `env` what root's own environment would not say. */
export function bootstrapArguments(
  settings: Settings,
  { user, packages = [] }: BootstrapOptions,
): {
  environment: string[];
  verb: string[];
} {
  // As root would find them: from /etc/vms.conf or the defaults.
  const ofRoot = resolveSettings({}, { HOME: "/nonexistent" }).settings;
  const names = { images: "VMS_IMAGES", iso: "VMS_ISO", filesystems: "VMS_FILESYSTEMS" } as const;
  const environment = (Object.keys(names) as (keyof typeof names)[])
    .filter((key) => settings[key] !== ofRoot[key])
    .map((key) => `${names[key]}=${settings[key]}`);
  const verb = [
    "bootstrap",
    ...(user === undefined ? [] : ["--user", user]),
    ...(packages.length === 0 ? [] : ["--package", ...packages]),
  ];
  return { environment, verb };
}

/** The command that makes this host ready with root's rights, as a user would type it. */
export async function rootCommand(settings: Settings, options: BootstrapOptions): Promise<string> {
  const { environment, verb } = bootstrapArguments(settings, options);
  const sudo = (await findProgram({ root: "/" }, "sudo")) !== undefined;
  // su tells nobody who called it.
  const named = sudo || verb.includes("--user") ? verb : [...verb, ...userFlag()];
  const words = [...(environment.length === 0 ? [] : ["env", ...environment]), ...launcher(), ...named];
  const [first, ...rest] = words as [string, ...string[]];
  return sudo
    ? `sudo ${showCommand({ argv: [first, ...rest] })}`
    : showCommand({ argv: ["su", "-c", showCommand({ argv: [first, ...rest] })] });
}

function userFlag(): string[] {
  const user = resolveUser(undefined);
  return user === undefined ? [] : ["--user", user];
}

/** `./vms` in a checkout; in an installed package the compiled command line, which no PATH of root's needs to know. */
function launcher(): string[] {
  const script = join(packageFiles.root, "vms");
  if (!existsSync(script)) return [process.execPath, join(packageFiles.root, "dist", "cli", "main.js")];
  return [join(process.cwd(), "vms") === script ? "./vms" : script];
}
