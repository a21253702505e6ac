import { createInterface } from "node:readline/promises";
import { VmsError, cannot } from "../provider/errors.js";
import { commandLine } from "../provider/vm/ownership.js";
import { removeVm } from "../provider/vm/remove.js";
import type { CliContext } from "./context.js";

export interface DestroyOptions {
  readonly name: string;
  readonly yes?: boolean;
}

/** `vms destroy`: deletes a VM of the command line and its disk. */
export async function run({ name, yes }: DestroyOptions, context: CliContext): Promise<void> {
  if (yes !== true) await confirm(name);
  const removed = await removeVm("qemu:///system", name, commandLine, context, { leftovers: true });
  if (!removed) {
    throw cannot("delete", "VM", name, new VmsError("gone", "there is no VM of that name", { hint: "See: vms list" }));
  }
  context.print(`${name} and its disk are gone`);
}

async function confirm(name: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw cannot(
      "delete",
      "VM",
      name,
      new VmsError("input", "its disk would be lost, and nobody can be asked here", {
        hint: `If you mean it: vms destroy ${name} --yes`,
      }),
    );
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`Delete the VM ${name} and everything on its disk? Type yes: `);
    if (answer.trim() !== "yes") throw new VmsError("cancelled", "nothing was deleted");
  } finally {
    prompt.close();
  }
}
