/** The verbs that make and delete VMs, and the one about what they stand on. */
import type { Command } from "commander";
import type { CloneOptions } from "./clone.js";
import type { CreateOptions } from "./create.js";
import { collect, type Perform, wholeNumber } from "./registration.js";

export function addVmVerbs(program: Command, perform: Perform): void {
  program
    .command("create")
    .description("make a VM, start it and wait until it is ready")
    .argument("<name>", "the VM's name: a-z, 0-9 and -")
    .option("--profile <profile>", "what is installed in it: a name, or the path of a script of your own")
    .option("--iso <path or URL>", "the Arch ISO to install from")
    .option("--mirror <server>", "the pacman server, with $repo and $arch")
    .option("--memory <MiB>", "memory", wholeNumber)
    .option("--cpus <count>", "virtual processors", wholeNumber)
    .option("--disk <size>", "the disk's capacity, such as 20G")
    .option("--network <network>", 'a libvirt network, or "user" for none of the host\'s')
    .option("--package <name>", "a further pacman package; may be repeated", collect)
    .option("--user <name>", "the user who works in it")
    .option("--ssh-key <file>", "public keys that may log in as that user; may be repeated", collect)
    .option("--password-stdin", "the user's password is the first line of standard input")
    .option("--hostname <name>", "default: the VM's name")
    .option("--timezone <zone>", "such as Europe/Berlin")
    .option("--locale <locale>", "such as de_DE.UTF-8")
    .option("--keymap <keymap>", "such as de-latin1")
    .option("--share <source:target[:ro]>", "a directory of this host in the VM; may be repeated", collect)
    .option("--no-start", "leave it off")
    .option("--autostart", "start it with the host")
    .option("--fresh", "install it for itself, on no shared image")
    .option("--acceleration <kind>", "auto, kvm or tcg")
    .action(async (name: string, flags: Omit<CreateOptions, "name">) =>
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
    .option("--ssh-key <file>", "public keys instead of the source's; may be repeated", collect)
    .option("--no-start", "leave it off")
    .option("--autostart", "start it with the host")
    .action(async (source: string, name: string, flags: Omit<CloneOptions, "source" | "name">) =>
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
    .command("destroy")
    .description("delete a VM and its disk")
    .argument("<name>", "the VM's name")
    .option("--yes", "do not ask")
    .option("--force", "also a VM of a stack, which is not asked and finds it gone")
    .action(async (name: string, flags: { yes?: boolean; force?: boolean }) =>
      perform(async (context) => (await import("./destroy.js")).run({ name, ...flags }, context)),
    );
}
