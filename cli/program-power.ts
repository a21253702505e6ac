/** The verbs that power VMs on and off. */
import type { Command } from "commander";
import { type Perform, seconds } from "./registration.js";

export function addPowerVerbs(program: Command, perform: Perform): void {
  program
    .command("start")
    .description("start a VM that is off, or let one that is paused go on")
    .argument("<name>", "the VM's name")
    .option("--wait", "until it is ready: its guest agent answers and its address is known")
    .action(async (name: string, flags: { wait?: boolean }) =>
      perform(async (context) => (await import("./start.js")).run({ name, ...flags }, context)),
    );
  program
    .command("stop")
    .description("ask a VM's guest to power off, by its agent, then by ACPI")
    .argument("<name>", "the VM's name")
    .option("--timeout <seconds>", "how long it may take; default: 90, emulated 300", seconds)
    .action(async (name: string, flags: { timeout?: number }) =>
      perform(async (context) => (await import("./stop.js")).run({ name, ...flags }, context)),
    );
  program
    .command("kill")
    .description("force a VM off at once; what its guest has not written is lost")
    .argument("<name>", "the VM's name")
    .action(async (name: string) => perform(async (context) => (await import("./kill.js")).run({ name }, context)));
}
