/** The verbs about the sample stack of this checkout. */
import type { Command } from "commander";
import type { Perform } from "./registration.js";

export function addStackVerbs(program: Command, perform: Perform): void {
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
  program
    .command("up")
    .description("run pulumi up on the sample stack of this checkout")
    .argument("[args...]", "what to hand to pulumi up, such as --yes")
    .passThroughOptions()
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[]) => perform(async (context) => (await import("./up.js")).run({ args }, context)));
}
