/** `vms list` with ten VMs, beside the two calls of virsh that it makes itself, and those that a script would make for the same table. */
import { join } from "node:path";
import { run } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";
import { createVm } from "../../provider/vm/create.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import { publishSmallImage, smallSpec } from "../support/small-vm.js";
import { connection, type TestStore } from "../support/store.js";
import type { Row } from "./measure.js";

const count = 10;

/** The rows, and what takes the VMs away behind them. */
export async function listRows({ settings, context }: TestStore): Promise<{ rows: Row[]; tidy: () => Promise<void> }> {
  await publishSmallImage(settings, context);
  const names = Array.from({ length: count }, (_, index) => `vms-bench-list-${process.pid}-${index}`);
  const uuids: string[] = [];
  for (const name of names) uuids.push((await createVm(smallSpec(settings, name), commandLine, context)).uuid);
  const virsh = (...args: string[]): Promise<unknown> => run(["virsh", "-q", "-c", connection, ...args]);
  const cli = join(packageFiles.root, "dist", "cli", "main.js");
  return {
    rows: [
      { what: `vms list, ${count} VMs`, times: 10, work: () => run([process.execPath, cli, "list"]) },
      { what: `vms list --json, ${count} VMs`, times: 10, work: () => run([process.execPath, cli, "list", "--json"]) },
      {
        what: `floor: virsh list, and ${count} domains in one virsh`,
        times: 10,
        work: async () => {
          await virsh("list", "--all", "--uuid");
          await virsh(uuids.map((uuid) => `dumpxml ${uuid}; domstate ${uuid}`).join("; "));
        },
      },
      {
        what: `a script: virsh list, ${count} times dumpxml and domstate`,
        times: 10,
        work: async () => {
          await virsh("list", "--all", "--uuid");
          for (const uuid of uuids) {
            await virsh("dumpxml", uuid);
            await virsh("domstate", uuid);
          }
        },
      },
    ],
    tidy: async () => {
      for (const name of names) await removeVm(connection, name, commandLine, context);
    },
  };
}
