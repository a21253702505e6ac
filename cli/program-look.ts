/** The verbs that show what a VM is and does. */
import type { Command } from "commander";
import type { Perform } from "./registration.js";

export function addLookVerbs(program: Command, perform: Perform): void {
  program
    .command("list")
    .description("show the VMs that are ours: of the command line and of stacks")
    .option("--json", "as JSON")
    .action(async (flags: { json?: boolean }) =>
      perform(async (context) => (await import("./list.js")).run(flags, context)),
    );
  program
    .command("ip")
    .description("print the address of a VM")
    .argument("<name>", "the VM's name")
    .option("--json", "as JSON")
    .action(async (name: string, flags: { json?: boolean }) =>
      perform(async (context) => (await import("./ip.js")).run({ name, ...flags }, context)),
    );
  program
    .command("log")
    .description("print what the serial console of a VM said, or of the install that is made for it")
    .argument("<name>", "the VM's name")
    .option("-f, --follow", "go on with what comes, until the VM is gone or the install is over")
    .action(async (name: string, flags: { follow?: boolean }) =>
      perform(async (context) => (await import("./log.js")).run({ name, ...flags }, context)),
    );
  program
    .command("screenshot")
    .description("write what the display of a VM shows to a PNG")
    .argument("<name>", "the VM's name")
    .argument("[file]", "where to; default: <name>.png in this directory")
    .action(async (name: string, file: string | undefined) =>
      perform(async (context) => (await import("./screenshot.js")).run({ name, file }, context)),
    );
  program
    .command("console")
    .description("be root on the serial console of a VM, in this terminal; Ctrl-] leaves it")
    .argument("<name>", "the VM's name")
    .option("--force", "take it from whoever has it open")
    .action(async (name: string, flags: { force?: boolean }) =>
      perform(async (context) => (await import("./console.js")).run({ name, ...flags }, context)),
    );
  program
    .command("viewer")
    .description("open a window with the display of a VM")
    .argument("<name>", "the VM's name")
    .action(async (name: string) => perform(async (context) => (await import("./viewer.js")).run({ name }, context)));
}
