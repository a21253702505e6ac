/** Each operation is killed behind each of its steps, and then run again: provider/steps.ts says which steps there are. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { removeVm } from "../../provider/vm/remove.js";
import { type Operation, type Step, steps } from "../../provider/steps.js";
import { killAfterDelay, runApart } from "../support/interrupt.js";
import { type Interruptible, interruptible, needsGuest, stepsOf, type Subject } from "../support/interruptible.js";
import { publishSmallImage, smallOwner } from "../support/small-vm.js";
import { connection, makeStore, type TestStore } from "../support/store.js";
import { storeDomains } from "../support/whole-store.js";

let counter = 0;

/** Of kills at any moment. */
const rounds = 20;

describe("an operation that is killed, and run again (real libvirtd)", function () {
  this.timeout(3 * 60_000);
  let store: TestStore;

  before(async () => {
    store = makeStore();
    await publishSmallImage(store.settings, store.context);
  });
  after(() => store.remove());

  /** Prepares the operation under a new name, and removes what there is of it in the end. */
  async function withSubject(operation: Interruptible, work: (subject: Subject) => Promise<void>): Promise<void> {
    const name = `vms-test-kill-${process.pid}-${counter++}`;
    const subject = await operation.prepare(store.settings, name, store.context);
    await work(subject);
    for (const one of operation.names?.(name) ?? [name]) await removeVm(connection, one, smallOwner, store.context);
    assert.deepEqual(await storeDomains(store.settings), []);
  }

  const recorded = new Map<string, readonly Step[]>();

  /** The steps of an uninterrupted run, in their order. */
  async function record(operation: Interruptible): Promise<readonly Step[]> {
    await withSubject(operation, async (subject) => {
      const { steps: reached } = await runApart(operation, subject);
      await operation.verify(subject, store.context);
      recorded.set(operation.title, reached);
    });
    return recorded.get(operation.title) ?? [];
  }

  it("is killed behind every step that there is, but for those that need a guest", () => {
    const all = (Object.keys(steps) as Operation[]).flatMap(stepsOf);
    const killedBehind = new Set(interruptible.flatMap((operation) => operation.steps));
    assert.deepEqual(
      all.filter((step) => !killedBehind.has(step) && !needsGuest.includes(step)),
      [],
    );
  });

  for (const operation of interruptible) {
    it(`${operation.title}: reaches each of its steps where nothing interrupts it`, async () => {
      const reached = await record(operation);
      assert.deepEqual(
        operation.steps.filter((step) => !reached.includes(step)),
        [],
      );
    });

    for (const step of operation.steps) {
      it(`${operation.title}: comes to its end after a kill behind "${step}"`, async () => {
        const all = recorded.get(operation.title) ?? (await record(operation));
        const times = all.flatMap((one, index) => (one === step ? [index] : []));
        assert.notDeepEqual(times, [], `${step} is not reached`);
        for (const time of times) {
          await withSubject(operation, async (subject) => {
            const { killed, steps: done } = await runApart(operation, subject, time);
            assert.ok(killed, "it was to be killed");
            assert.equal(done.at(-1), step);
            await operation.run(subject, store.context);
            await operation.verify(subject, store.context);
          });
        }
      });
    }
  }

  it("comes to its end after a kill at any moment, be it between two steps", async () => {
    const operations = interruptible.filter(({ title }) => title === "create" || title === "delete");
    const lasting = new Map<Interruptible, number>();
    for (const operation of operations) {
      await withSubject(operation, async (subject) => {
        lasting.set(operation, (await runApart(operation, subject)).lasted);
      });
    }
    const anyMoment = fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (operation, moment) =>
        withSubject(operation, async (subject) => {
          await killAfterDelay(operation, subject, moment * (lasting.get(operation) ?? 0));
          await operation.run(subject, store.context);
          await operation.verify(subject, store.context);
        }),
    );
    // A failure says its seed; an earlier moment is no simpler one.
    await fc.assert(anyMoment, { numRuns: rounds, endOnFailure: true });
  });
});
