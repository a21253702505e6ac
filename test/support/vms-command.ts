/** This checkout's command line on a store of its own, as a user would call it. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
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

export interface ClosingTerminal {
  /** Fails where it ends before. */
  sees(pattern: RegExp): Promise<void>;
  /** Closes the terminal under the command, as whoever shuts its window; returns the command's status as bash has it. */
  close(): Promise<number>;
}

/** The same in a terminal that can be closed while it runs. */
export function inClosingTerminal(settings: Settings, ...args: string[]): ClosingTerminal {
  const command = [process.execPath, vmsProgram, ...args].map((word) => `'${word}'`).join(" ");
  const statusFile = join(settings.images, `status-${randomUUID()}`);
  // As a user's shell and the kernel do: what it has started is told again and again, with all that this has started.
  const shell = `${command} & child=$!
    tell() { trap "" HUP; while kill -0 "$child"; do kill -HUP 0; sleep 0.01; done; }
    trap tell HUP; wait "$child"; wait "$child"; echo $? >'${statusFile}'`;
  // It holds the one end of the terminal, and nobody does any more when it is killed.
  const holder = execa("script", ["-qec", shell, "/dev/null"], {
    env: { ...environmentOf(settings), SHELL: "/bin/bash" },
    stdin: "pipe",
    reject: false,
  });
  let text = "";
  let over = false;
  holder.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
  void holder.then(() => (over = true));
  return {
    sees: async (pattern) => {
      await eventually(() => pattern.test(text) || over, minute);
      assert.match(text, pattern);
    },
    close: async () => {
      holder.kill("SIGKILL");
      await holder;
      const status = (): string => (existsSync(statusFile) ? readFileSync(statusFile, "utf8") : "");
      await eventually(() => status().endsWith("\n"), minute);
      return Number(status());
    },
  };
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
