#!/usr/bin/env node
/**
 * The `vms` command. The only place that ends the process: 0 done, 1 failed, 2 used wrongly, 130 stopped by
 * the user; by SIGHUP where its terminal was closed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { toVmsError, VmsError } from "../provider/errors.js";
import { leaveTerminal } from "../provider/host/command.js";
import { packageFiles } from "../provider/paths.js";
import { resolveSettings } from "../provider/settings.js";
import { buildProgram } from "./program.js";
import type { CliContext } from "./context.js";
import { statusBehind, watchOutput } from "./output.js";
import { outcomeOf, showProgress } from "./terminal-progress.js";

const progress = showProgress(process.stderr);
const cancel = new AbortController();
let terminalIsOurs = true;

process.on("SIGINT", () => {
  if (!terminalIsOurs) return;
  // Whoever presses Ctrl-C a second time does not want to wait for the tidying up.
  if (cancel.signal.aborted) process.exit(130);
  stop("it was stopped by Ctrl-C");
});
process.on("SIGTERM", () => {
  stop("it was stopped by SIGTERM");
});
const hangUp = new AbortController();
process.on("SIGHUP", () => {
  hangUp.abort();
  leaveTerminal();
  stop("its terminal was closed");
});
const unheard = new AbortController();
const output = watchOutput(() => {
  unheard.abort();
});

function stop(reason: string): void {
  cancel.abort(new VmsError("cancelled", reason));
}

function write(text: string): void {
  progress.settle();
  process.stdout.write(text);
}

function makeContext(): CliContext {
  return {
    settings: resolveSettings().settings,
    progress,
    signal: cancel.signal,
    unheard: unheard.signal,
    print: (line) => write(`${line}\n`),
    write,
    handOverTerminal: async (work) => {
      progress.settle();
      terminalIsOurs = false;
      try {
        return await work();
      } finally {
        terminalIsOurs = true;
      }
    },
  };
}

function packageVersion(): string {
  const description: unknown = JSON.parse(readFileSync(join(packageFiles.root, "package.json"), "utf8"));
  return (description as { version: string }).version;
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const failure = toVmsError(error);
  progress.settle(outcomeOf(failure));
  const text = process.env["VMS_DEBUG"] === "1" ? (failure.stack ?? failure.message) : failure.message;
  process.stderr.write(`${text}\n`);
  if (process.env["VMS_DEBUG"] === "1" && failure.cause !== undefined) console.error("caused by:", failure.cause);
  if (failure.code === "cancelled") return 130;
  return failure.code === "input" ? 2 : 1;
}

async function main(): Promise<number> {
  let status = 0;
  const program = buildProgram(async (verb) => {
    const outcome = await verb(makeContext());
    if (typeof outcome === "number") status = outcome;
  }, packageVersion());
  for (const command of [program, ...program.commands]) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    return report(error);
  } finally {
    progress.settle();
  }
  return status;
}

const status = statusBehind(await main(), await output.finish());
if (hangUp.signal.aborted) {
  // An exit of Node's own resets the terminal, and aborts where that is gone.
  process.removeAllListeners("SIGHUP");
  process.kill(process.pid, "SIGHUP");
}
process.exit(status);
