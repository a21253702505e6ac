/**
 * Each operation is killed behind each of its steps, and then run again: provider/steps.ts says which steps there are. Those that make
 * a clone are in a file of their own, which runs at the same time.
 */
import assert from "node:assert/strict";
import { type Operation, steps } from "../../provider/steps.js";
import { interruptible, makesClone, needsGuest, stepsOf } from "../support/interruptible.js";
import { testAllKills } from "../support/kills.js";

describe("an operation that is killed, and run again (real libvirtd)", () => {
  it("is killed behind every step that there is, but for those that need a guest", () => {
    const all = (Object.keys(steps) as Operation[]).flatMap(stepsOf);
    const killedBehind = new Set(interruptible.flatMap((operation) => operation.steps));
    assert.deepEqual(
      all.filter((step) => !killedBehind.has(step) && !needsGuest.includes(step)),
      [],
    );
  });

  testAllKills(interruptible.filter((operation) => !makesClone(operation)));
});
