/** The verbs about this host. */
import type { Command } from "commander";
import type { Perform } from "./registration.js";

export function addHostVerbs(program: Command, perform: Perform): void {
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
  program
    .command("doctor")
    .description("look at all that VMs need of this host, and say what mends what is bad")
    .option("--json", "as JSON")
    .action(async (flags: { json?: boolean }) =>
      perform(async (context) => (await import("./doctor.js")).run(flags, context)),
    );
}
