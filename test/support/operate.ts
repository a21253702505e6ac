/** Run as a process of its own: an operation that says each step that it has done, and kills itself behind one of them if told so. */
import { writeSync } from "node:fs";
import { silent } from "../../provider/progress.js";
import type { Step } from "../../provider/steps.js";
import type { Subject } from "./interruptible.js";
import { interruptible } from "./interruptible.js";
import { withGuest } from "./interruptible-guest.js";

/** What the process is told, as its only argument. */
export interface Orders {
  readonly title: string;
  readonly subject: Subject;
  /** Behind what it dies; not given, it goes on to its end. */
  readonly killBehind?: Moment | undefined;
}

/** Where a step is done for the n-th time, from 1 on, whatever is healed before. */
export interface TimeOfStep {
  readonly step: Step;
  readonly time: number;
}

/** The number of a step, from 0 on, whichever it is; or a time of a step. */
export type Moment = number | TimeOfStep;

const { title, subject, killBehind } = JSON.parse(process.argv[2] ?? "") as Orders;
const operation = [...interruptible, ...withGuest].find((one) => one.title === title);
if (operation === undefined) throw new Error(`there is no operation ${JSON.stringify(title)}`);

let count = 0;
// Written at once: nothing that is buffered outlives a SIGKILL.
writeSync(1, "begun\n");
await operation.run(subject, {
  settings: subject.spec.settings,
  progress: silent,
  reached: (step) => {
    writeSync(1, `${step}\n`);
    if (isThere(step)) die();
  },
});

function isThere(step: Step): boolean {
  if (typeof killBehind === "number") return count++ === killBehind;
  return step === killBehind?.step && ++count === killBehind.time;
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // Nothing more is done until the signal is here.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
