/** Each operation is killed behind each of its steps, and then run again: provider/steps.ts says which steps there are. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Operation, steps } from "../../provider/steps.js";
import { killAfterDelay, runApart } from "../support/interrupt.js";
import { type Interruptible, interruptible, needsGuest, stepsOf } from "../support/interruptible.js";
import { testKills, withSubject } from "../support/kills.js";
import { makeSmallStore } from "../support/small-vm.js";
import { type TestStore } from "../support/store.js";
import { assertHonest } from "../support/whole-store.js";

/** Of kills at any moment. */
const rounds = 20;

describe("an operation that is killed, and run again (real libvirtd)", () => {
  let store: TestStore;

  before(async () => {
    store = await makeSmallStore();
  });
  after(() => store.remove());

  it("is killed behind every step that there is, but for those that need a guest", () => {
    const all = (Object.keys(steps) as Operation[]).flatMap(stepsOf);
    const killedBehind = new Set(interruptible.flatMap((operation) => operation.steps));
    assert.deepEqual(
      all.filter((step) => !killedBehind.has(step) && !needsGuest.includes(step)),
      [],
    );
  });

  for (const operation of interruptible) testKills(operation, () => store);

  it("comes to its end after a kill at any moment, be it between two steps", async () => {
    const operations = interruptible.filter(({ title }) => title === "create" || title === "delete");
    const lasting = new Map<Interruptible, number>();
    for (const operation of operations) {
      await withSubject(operation, store, async (subject) => {
        lasting.set(operation, (await runApart(operation, subject)).lasted);
      });
    }
    const anyMoment = fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (operation, moment) =>
        withSubject(operation, store, async (subject) => {
          await killAfterDelay(operation, subject, moment * (lasting.get(operation) ?? 0));
          await assertHonest(store.settings);
          await operation.run(subject, store.context);
          await operation.verify(subject, store.context);
        }),
    );
    // A failure says its seed; an earlier moment is no simpler one.
    await fc.assert(anyMoment, { numRuns: rounds, endOnFailure: true });
  });
});
