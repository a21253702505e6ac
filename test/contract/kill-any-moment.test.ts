/** Operations are killed at any moment, be it between two steps, and then run again. */
import fc from "fast-check";
import { killAfterDelay, runApart } from "../support/interrupt.js";
import { type Interruptible, interruptible } from "../support/interruptible.js";
import { withSubject } from "../support/kills.js";
import { makeSmallStore } from "../support/small-vm.js";
import { type TestStore } from "../support/store.js";
import { assertHonest } from "../support/whole-store.js";

/** Of kills. */
const rounds = 10;

describe("a creation or a removal that is killed at any moment, and run again (real libvirtd)", () => {
  let store: TestStore;

  before(async () => {
    store = await makeSmallStore();
  });
  after(() => store.remove());

  it("comes to its end", async () => {
    const operations = interruptible.filter(({ title }) => title === "create" || title === "delete");
    const lasting = new Map<Interruptible, number>();
    for (const operation of operations) {
      await withSubject(operation, store, async (subject) => {
        lasting.set(operation, (await runApart(operation, subject)).lasted);
      });
    }
    const anyMoment = fc.asyncProperty(
      fc.constantFrom(...operations),
      // In thousandths of the time that it takes: numbers with a fraction would be near the ends nearly always.
      fc.integer({ min: 0, max: 1000 }),
      (operation, moment) =>
        withSubject(operation, store, async (subject) => {
          await killAfterDelay(operation, subject, (moment / 1000) * (lasting.get(operation) ?? 0));
          await assertHonest(store.settings);
          await operation.run(subject, store.context);
          await operation.verify(subject, store.context);
        }),
    );
    // A failure says its seed; an earlier moment is no simpler one.
    await fc.assert(anyMoment, { numRuns: rounds, endOnFailure: true });
  });
});
