import { createInterface } from "node:readline/promises";
import { VmsError, cannot } from "../provider/errors.js";
import { findDomain } from "../provider/libvirt/domain.js";
import type { Owner } from "../provider/libvirt/mark.js";
import { imageOwner, sweepInstalls } from "../provider/vm/install-leftovers.js";
import { tellLeftDisk } from "../provider/vm/left-disk.js";
import { findNamed, requireWhole } from "../provider/vm/named.js";
import { commandLine, type OwnDomain } from "../provider/vm/ownership.js";
import { removeVm } from "../provider/vm/remove.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";

export interface DestroyOptions {
  readonly name: string;
  readonly yes?: boolean;
  readonly force?: boolean;
}

/** `vms destroy`: deletes a VM of the command line and its disk; that of a stack only with `force`. */
export async function run({ name, yes, force }: DestroyOptions, context: CliContext): Promise<void> {
  const vm = await find(name);
  const install = vm.mark.owner.id === imageOwner.id;
  if (install) await removeDeadInstall(vm, context);
  const { stack, removed } = install
    ? { stack: undefined, removed: true }
    : await remove(vm, yes === true, force === true, context);
  if (removed) context.print(`${vm.name} and its disk are gone`);
  else await tellRemoved(vm, context);
  if (stack !== undefined)
    context.print(`${stack.label} finds it gone at its next pulumi refresh, or pulumi up --refresh, and makes it anew`);
}

async function find(name: string): Promise<OwnDomain> {
  try {
    return await findNamed(connection, name);
  } catch (error) {
    throw cannot("delete", "VM", name, error);
  }
}

/** Somebody else has removed it while we asked: by us, or by virsh, which knows nothing of its disk. */
async function tellRemoved({ name, disks }: OwnDomain, context: CliContext): Promise<void> {
  context.print(`${name} is gone: somebody else removed it meanwhile`);
  await tellLeftDisk(connection, name, disks[0], context);
}

/** Returns the stack whose it was, and whether it was there still. */
async function remove(
  { name, uuid, mark }: OwnDomain,
  yes: boolean,
  force: boolean,
  context: CliContext,
): Promise<{ stack: Owner | undefined; removed: boolean }> {
  // What an interrupted run left is anybody's to remove.
  const stack = mark.phase === "ready" && mark.owner.id.startsWith("stack:") ? mark.owner : undefined;
  if (stack !== undefined && !force) throw refusal(name, stack);
  if (!yes) await confirm(name, stack);
  return { stack, removed: await removeVm(connection, uuid, stack ?? commandLine, context, { leftovers: true }) };
}

/** One that goes on is left alone, as whoever makes a VM waits for it. */
async function removeDeadInstall(install: OwnDomain, context: CliContext): Promise<void> {
  await sweepInstalls(connection, context);
  if ((await findDomain(connection, install.uuid)) === undefined) return;
  try {
    requireWhole(install);
  } catch (error) {
    throw cannot("delete", "VM", install.name, error);
  }
}

function refusal(name: string, stack: Owner): VmsError {
  const reason = new VmsError("foreign", `it belongs to ${stack.label}; it was left alone`, {
    hint: `Remove it where it was made. vms destroy ${name} --force deletes it and its disk all the same; its stack is not asked, and finds it gone`,
  });
  return cannot("delete", "VM", name, reason);
}

async function confirm(name: string, stack: Owner | undefined): Promise<void> {
  if (!process.stdin.isTTY) {
    throw cannot(
      "delete",
      "VM",
      name,
      new VmsError("input", "its disk would be lost, and nobody can be asked here", {
        hint: `If you mean it: vms destroy ${name}${stack === undefined ? "" : " --force"} --yes`,
      }),
    );
  }
  const question = `Delete the VM ${name}${stack === undefined ? "" : ` of ${stack.label}`} and everything on its disk? Type yes: `;
  if ((await ask(question)).trim() !== "yes") throw new VmsError("cancelled", "nothing was deleted");
}

/** What is typed; nothing where the user leaves by Ctrl-C or Ctrl-D. */
async function ask(question: string): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const left = new Promise<string>((resolve) => {
    prompt.once("close", () => {
      process.stderr.write("\n");
      resolve("");
    });
    // The terminal is in raw mode meanwhile: nobody else hears of it.
    prompt.once("SIGINT", () => prompt.close());
  });
  try {
    return await Promise.race([prompt.question(question), left]);
  } finally {
    prompt.removeAllListeners("close");
    prompt.close();
  }
}
