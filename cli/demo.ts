/**
 * `vms demo`: from a host with nothing to a VM that runs, by `pulumi up` of the sample stack. Run again, it changes nothing. What
 * the stack's config says already is kept.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { cannot, VmsError } from "../provider/errors.js";
import { archMirror, canReach } from "../provider/host/reach.js";
import { libvirtGroup } from "../provider/host/requirement.js";
import { describeVm } from "../provider/vm/describe.js";
import type { CliContext } from "./context.js";
import { type Part, readTimes, showTimes } from "./demo-times.js";
import { isInGroupOnlyHere, prepareAsUser, runInGroup } from "./demo-user.js";
import { checkoutFiles, openStack, type Stack } from "./stack.js";
import { serveStandIn, type StandIn } from "./stand-in.js";

export interface DemoOptions {
  readonly down?: boolean;
}

const eventLog = join(checkoutFiles.folder, "demo-events.json");
const connection = "qemu:///system";

export async function run({ down }: DemoOptions, context: CliContext): Promise<number> {
  if (down === true) return (await runInGroup("--down", context)) ?? takeDown(context);
  const status = await prepareAsUser(context);
  if (status !== 0) return status;
  return (await runInGroup("", context)) ?? bringUp(context);
}

async function bringUp(context: CliContext): Promise<number> {
  const began = Date.now();
  const parts: Part[] = [];
  const stack = await timed("pulumi CLI and stack", parts, () => openStack(context));
  const source = (await needsInstall(stack)) ? await chooseSource(stack, parts, context) : undefined;
  let status: number;
  try {
    await rm(eventLog, { force: true });
    // The event log is one of the CLI's options for those who debug it.
    const args = ["up", "--yes", "--skip-preview", "--suppress-outputs", "--event-log", eventLog];
    status = await stack.show(args, { PULUMI_DEBUG_COMMANDS: "true" });
  } finally {
    await source?.close();
  }
  if (status !== 0) {
    context.print(
      "The demo is not complete. What was made is kept: run ./vms demo again, or remove it: ./vms demo --down",
    );
    return status;
  }
  await showVm(stack, context);
  parts.push(...readTimes(await readFile(eventLog, "utf8")));
  await rm(eventLog);
  context.print("Time taken:");
  for (const line of showTimes([...parts, { text: "all", seconds: secondsSince(began) }])) context.print(line);
  return 0;
}

/** Where the VM is there nothing is installed, and nothing to install from is needed. */
async function needsInstall(stack: Stack): Promise<boolean> {
  const state = JSON.parse(await stack.read(["stack", "export"])) as {
    deployment?: { resources?: { type: string; initErrors?: unknown }[]; pending_operations?: unknown[] };
  };
  const { resources = [], pending_operations: pending = [] } = state.deployment ?? {};
  const vms = resources.filter(({ type }) => type === "pulumi-nodejs:dynamic/vms:ArchVm");
  return vms.length === 0 || pending.length > 0 || vms.some(({ initErrors }) => initErrors !== undefined);
}

type Config = Record<string, { value?: string } | undefined>;

/** Sets what the config does not say yet: the profile, and where Arch is out of reach something to install instead. */
async function chooseSource(stack: Stack, parts: Part[], context: CliContext): Promise<StandIn | undefined> {
  const config = JSON.parse(await stack.read(["config", "--json"])) as Config;
  const settings: Record<string, string> = config["vms:profile"] === undefined ? { "vms:profile": "minimal" } : {};
  const source = (await wantsStandIn(config, stack, context))
    ? await timed("stand-in for Arch", parts, () => serveStandIn(context))
    : undefined;
  if (source !== undefined)
    Object.assign(settings, { "vms:archIso": source.iso, "vms:mirror": source.mirror, [standInMark]: "true" });
  const pairs = Object.entries(settings).flatMap(([name, value]) => ["--plaintext", `${name}=${value}`]);
  if (pairs.length > 0) await stack.read(["config", "set-all", ...pairs]);
  return source;
}

/** In the config: the ISO and the mirror are the demo's own, which live only as long as it runs. */
const standInMark = "vms:standIn";

async function wantsStandIn(config: Config, stack: Stack, context: CliContext): Promise<boolean> {
  const ours = config[standInMark] !== undefined;
  if (!ours && (config["vms:archIso"] !== undefined || config["vms:mirror"] !== undefined)) return false;
  if (await canReach(archMirror, context.signal)) {
    if (ours) await stack.read(["config", "rm-all", standInMark, "vms:archIso", "vms:mirror"]);
    return false;
  }
  context.progress.notice(
    "No Arch mirror can be reached from here: the demo installs a stand-in for Arch, made of this host's packages.",
  );
  return true;
}

async function showVm(stack: Stack, context: CliContext): Promise<void> {
  const { name, uuid, network } = JSON.parse(await stack.read(["stack", "output", "--json"])) as Record<
    "name" | "uuid" | "network",
    string
  >;
  const vm = await describeVm(connection, uuid);
  if (vm === undefined) {
    throw cannot(
      "show",
      "VM",
      name,
      new VmsError("gone", "somebody removed it, and the stack does not know", {
        hint: "Run: ./vms pulumi refresh --yes, and then ./vms demo",
      }),
    );
  }
  context.print(`The VM ${name} is ${vm.state}.`);
  if (network === "user")
    context.print("Its network is qemu's user mode: it reaches out, and only the console reaches it.");
  const rows = {
    Address: vm.ipAddress === "" ? "none known" : vm.ipAddress,
    Console: `./vms console ${name}   (leave it with Ctrl-])`,
    Display: vm.viewer === "" ? "none while it is off" : `./vms viewer ${name}   (${vm.viewer})`,
    Log: vm.consoleLog,
    Remove: "./vms demo --down",
  };
  for (const [title, text] of Object.entries(rows)) context.print(`  ${title.padEnd(8)} ${text}`);
  if (isInGroupOnlyHere())
    context.print(
      `This login is not in the group ${libvirtGroup} yet: log in again before you use these, or begin with: newgrp ${libvirtGroup}`,
    );
}

/** Removes the VM, the stack and its config; images stay, as a cache, and the host stays ready. */
async function takeDown(context: CliContext): Promise<number> {
  const stack = await openStack(context);
  const status = await stack.show(["destroy", "--yes", "--skip-preview", "--remove"]);
  if (status !== 0) return status;
  await rm(eventLog, { force: true });
  await rm(checkoutFiles.stackConfig, { force: true });
  context.print(
    "The demo's VM and its stack are gone. Kept are the installed image, as a cache, and the host's set-up.",
  );
  return 0;
}

const secondsSince = (start: number): number => (Date.now() - start) / 1000;

async function timed<T>(text: string, parts: Part[], work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const result = await work();
  parts.push({ text, seconds: secondsSince(start) });
  return result;
}
