/** `vms pulumi ARGS...`: the pulumi CLI on the sample stack, with the user's terminal; its status is ours. */
import type { CliContext } from "./context.js";
import { openStack } from "./stack.js";

export interface PulumiOptions {
  readonly args: readonly string[];
}

export async function run(options: PulumiOptions, context: CliContext): Promise<number> {
  const stack = await openStack(context);
  return stack.show(options.args);
}
