/** This checkout's command line on a store of its own, as a user would call it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startInTerminal, type Transport } from "../../provider/console/transport.js";
import { attempt, type RunResult } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";
import type { Settings } from "../../provider/settings.js";
import { eventually, minute } from "./scene.js";
import { environmentOf } from "./store.js";

export const vmsProgram = join(packageFiles.root, "dist", "cli", "main.js");

export type Vms = (...args: string[]) => Promise<RunResult>;

/** `more` is added to the environment; undefined takes a variable out of it. */
export function vmsOn(settings: Settings, more: Record<string, string | undefined> = {}): Vms {
  return (...args) =>
    attempt([process.execPath, vmsProgram, ...args], { env: { ...environmentOf(settings), ...more }, timeout: 0 });
}

export interface Session extends Transport {
  readonly said: () => string;
  /** Fails where it ends before. */
  sees(pattern: RegExp): Promise<void>;
}

/** The same in a terminal of its own, as plain text. */
export function inTerminal(settings: Settings, ...args: string[]): Session {
  const transport = startInTerminal([process.execPath, vmsProgram, ...args], { env: environmentOf(settings) });
  let text = "";
  let over = false;
  transport.listen((piece) => (text += piece));
  void transport.ended.then(() => (over = true));
  const sees = async (pattern: RegExp): Promise<void> => {
    await eventually(() => pattern.test(text) || over, minute);
    assert.match(text, pattern);
  };
  return { ...transport, said: () => text, sees };
}

/** What a verb must come to: `done` returns what it said, `refused` why it was not done. */
export function outcomesOf(vms: Vms) {
  return {
    done: async (...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await vms(...args);
      assert.equal(status, 0, stderr);
      return stdout;
    },
    refused: async (expected: number, ...args: string[]): Promise<string> => {
      const { status, stdout, stderr } = await vms(...args);
      assert.equal(status, expected, stderr);
      assert.equal(stdout, "");
      assert.doesNotMatch(stderr, /^\s+at /m, "no stack");
      return stderr;
    },
  };
}
