/**
 * The command line: verbs, arguments and flags. A verb is a file of its own, loaded when it is called; it exports
 * `run(options, context)`, where `options` holds both its arguments and its flags. The verbs are registered by group.
 */
import { Command } from "commander";
import { addHostVerbs } from "./program-host.js";
import { addLookVerbs } from "./program-look.js";
import { addPowerVerbs } from "./program-power.js";
import { addStackVerbs } from "./program-stack.js";
import { addVmVerbs } from "./program-vms.js";
import type { Perform } from "./registration.js";

export function buildProgram(perform: Perform, version: string): Command {
  const program = new Command("vms")
    .description("Arch Linux virtual machines on this host's libvirt")
    .version(version)
    // A flag behind `vms pulumi` is pulumi's.
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: true })
    .showHelpAfterError("(vms --help lists the verbs and their flags)");
  for (const [group, add] of groups) add(program.commandsGroup(`${group}:`), perform);
  return program;
}

/** As the help shows them. */
const groups = [
  ["Make and delete VMs", addVmVerbs],
  ["Power", addPowerVerbs],
  ["Look at VMs", addLookVerbs],
  ["This host", addHostVerbs],
  ["The sample stack of this checkout", addStackVerbs],
] as const;
