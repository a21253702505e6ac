/**
 * The command line: verbs, arguments and flags. A verb is a file of its own, loaded when it is called; it exports
 * `run(options, context)`, where `options` holds both its arguments and its flags.
 */
import { Command, InvalidArgumentError } from "commander";
import type { CliContext } from "./context.js";

/** Runs a verb with a context; a number that it returns is the process's status. */
export type Perform = (verb: (context: CliContext) => Promise<unknown>) => Promise<void>;

interface CreateFlags {
  readonly profile?: string;
  readonly iso?: string;
  readonly mirror?: string;
  readonly memory?: number;
  readonly cpus?: number;
  readonly disk?: string;
  readonly network?: string;
}

interface CloneFlags {
  readonly memory?: number;
  readonly cpus?: number;
  readonly disk?: string;
  readonly hostname?: string;
  readonly start?: boolean;
}

export function buildProgram(perform: Perform, version: string): Command {
  const program = new Command("vms")
    .description("Arch Linux virtual machines on this host's libvirt")
    .version(version)
    // A flag behind `vms pulumi` is pulumi's.
    .enablePositionalOptions()
    .configureHelp({ sortSubcommands: true })
    .showHelpAfterError("(vms --help lists the verbs and their flags)");
  addHostVerbs(program, perform);
  addVmVerbs(program, perform);
  addStackVerbs(program, perform);
  return program;
}

function addHostVerbs(program: Command, perform: Perform): void {
  program
    .command("bootstrap")
    .description("make this host ready: packages, libvirt, directories, the default network")
    .option("--user <name>", "the user who shall manage VMs without root")
    .option("--package <name...>", "packages of the host's distribution to install as well")
    .action(async (flags: { user?: string; package?: string[] }) =>
      perform(async (context) =>
        (await import("./bootstrap.js")).run({ user: flags.user, packages: flags.package }, context),
      ),
    );
}

function addVmVerbs(program: Command, perform: Perform): void {
  program
    .command("create")
    .description("make a VM, start it and wait until it is ready")
    .argument("<name>", "the VM's name: a-z, 0-9 and -")
    .option("--profile <profile>", "what is installed in it")
    .option("--iso <path or URL>", "the Arch ISO to install from")
    .option("--mirror <server>", "the pacman server, with $repo and $arch")
    .option("--memory <MiB>", "memory", wholeNumber)
    .option("--cpus <count>", "virtual processors", wholeNumber)
    .option("--disk <size>", "the disk's capacity, such as 20G")
    .option("--network <network>", 'a libvirt network, or "user" for none of the host\'s')
    .action(async (name: string, flags: CreateFlags) =>
      perform(async (context) => (await import("./create.js")).run({ name, ...flags }, context)),
    );
  program
    .command("clone")
    .description("make a VM that begins with what is on another one's disk now, which may run meanwhile")
    .argument("<source>", "the VM to clone")
    .argument("<name>", "the clone's name: a-z, 0-9 and -")
    .option("--memory <MiB>", "memory; default: the source's", wholeNumber)
    .option("--cpus <count>", "virtual processors; default: the source's", wholeNumber)
    .option("--disk <size>", "the disk's capacity, such as 20G; the source's or more")
    .option("--hostname <name>", "default: the clone's name")
    .option("--no-start", "leave it off")
    .action(async (source: string, name: string, flags: CloneFlags) =>
      perform(async (context) => (await import("./clone.js")).run({ source, name, ...flags }, context)),
    );
  program
    .command("images")
    .description("show the images and frozen disks that VMs stand on")
    .option("--json", "as JSON")
    .option("--compact <name>", "make the chain of a VM that is off short, by copying into its own disk")
    .action(async (flags: { json?: boolean; compact?: string }) =>
      perform(async (context) => (await import("./images.js")).run(flags, context)),
    );
  program
    .command("list")
    .description("show the VMs that are ours")
    .option("--json", "as JSON")
    .action(async (flags: { json?: boolean }) =>
      perform(async (context) => (await import("./list.js")).run(flags, context)),
    );
  program
    .command("destroy")
    .description("delete a VM and its disk")
    .argument("<name>", "the VM's name")
    .option("--yes", "do not ask")
    .option("--force", "also a VM of a stack, which is not asked and finds it gone")
    .action(async (name: string, flags: { yes?: boolean; force?: boolean }) =>
      perform(async (context) => (await import("./destroy.js")).run({ name, ...flags }, context)),
    );
}

function addStackVerbs(program: Command, perform: Perform): void {
  program
    .command("demo")
    .description("bring up the sample stack of this checkout: a host that is ready and a VM that is installed")
    .option("--down", "remove all that the demo made")
    .action(async (flags: { down?: boolean }) =>
      perform(async (context) => (await import("./demo.js")).run(flags, context)),
    );
  program
    .command("pulumi")
    .description("run the pulumi CLI on the sample stack of this checkout")
    .argument("[args...]", "what to hand to pulumi")
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => perform(async (context) => (await import("./pulumi.js")).run({ args }, context)));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}
