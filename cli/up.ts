/** `vms up ARGS...`: `pulumi up` of the sample stack of this checkout. */
import type { CliContext } from "./context.js";
import { run as runPulumi } from "./pulumi.js";

export interface UpOptions {
  readonly args: readonly string[];
}

export function run({ args }: UpOptions, context: CliContext): Promise<number> {
  return runPulumi({ args: ["up", ...args] }, context);
}
