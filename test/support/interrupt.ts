/** Starts an operation in a process of its own, and kills it. */
import { execa } from "execa";
import { fileURLToPath } from "node:url";
import type { Step } from "../../provider/steps.js";
import type { Interruptible, Subject } from "./interruptible.js";
import type { Moment, Orders } from "./operate.js";
import { commandOf, killAlone } from "./processes.js";
import { eventually, minute } from "./scene.js";

const program = fileURLToPath(new URL("operate.js", import.meta.url));

export interface Interrupted {
  /** Those that it said it had done. */
  readonly steps: readonly Step[];
  readonly killed: boolean;
  /** From when it began, in milliseconds. */
  readonly lasted: number;
}

/** Runs the operation until that moment, or to its end. Throws where it fails. */
export function runApart(operation: Interruptible, subject: Subject, killBehind?: Moment): Promise<Interrupted> {
  return watch(operation, { title: operation.title, subject, killBehind });
}

/** Kills it so many milliseconds after it has begun, wherever that is. */
export function killAfterDelay(operation: Interruptible, subject: Subject, delay: number): Promise<Interrupted> {
  return watch(operation, { title: operation.title, subject }, delay);
}

async function watch(operation: Interruptible, orders: Orders, delay?: number): Promise<Interrupted> {
  const child = execa(process.execPath, [program, JSON.stringify(orders)], { reject: false });
  const steps: Step[] = [];
  let begun = 0;
  let left: readonly number[] = [];
  let timer: NodeJS.Timeout | undefined;
  for await (const line of child) {
    if (line !== "begun") {
      steps.push(line as Step);
      continue;
    }
    begun = performance.now();
    if (delay !== undefined) timer = setTimeout(() => (left = killAlone(child.pid)), delay);
  }
  clearTimeout(timer);
  // A define or a copy that was under way goes on, and nothing is said about a store that is still being changed.
  await eventually(() => left.every((pid) => commandOf(pid) === ""), minute);
  const { exitCode, signal, stderr } = await child;
  const killed = signal === "SIGKILL";
  if (exitCode !== 0 && !killed) throw new Error(`${operation.title} ended with status ${exitCode}: ${stderr}`);
  return { steps, killed, lasted: performance.now() - begun };
}
