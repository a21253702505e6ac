/** The command line keeps no record of a VM, so what a failed call made goes at once. */
import type { Context } from "../provider/context.js";
import { hasCode, toVmsError } from "../provider/errors.js";
import { HalfMadeError } from "../provider/vm/half-made.js";
import { commandLine } from "../provider/vm/ownership.js";
import { removeVm } from "../provider/vm/remove.js";
import type { CliContext } from "./context.js";
import { outcomeOf } from "./terminal-progress.js";

type Shown = Context & Pick<CliContext, "progress">;

/** Runs what makes a VM of this name; where it fails, nothing is left half-made. */
export async function makeOrDiscard<T>(
  name: string,
  connection: string,
  context: Shown,
  make: () => Promise<T>,
): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof HalfMadeError) await discard(name, connection, error, context);
    throw error;
  }
}

async function discard(name: string, connection: string, failure: HalfMadeError, context: Shown): Promise<void> {
  const { progress } = context;
  progress.settle(outcomeOf(failure));
  // Who stopped it knows why.
  const keepLog = !hasCode(failure, "cancelled");
  try {
    // Not with the context's signal: it may be what stopped the making.
    await removeVm(connection, failure.uuid, commandLine, { ...context, signal: undefined }, { keepLog });
    progress.settle();
  } catch (error) {
    progress.settle(outcomeOf(error));
    // The failure itself matters more, and what it left is marked.
    progress.notice(`What was made of ${name} is left (${toVmsError(error).reason}). Remove it: vms destroy ${name}`);
  }
}
