/** Kills operations, each in a process of its own and under a name of its own, and runs them again to their end. */
import assert from "node:assert/strict";
import type { Step } from "../../provider/steps.js";
import { removeVm } from "../../provider/vm/remove.js";
import { runApart } from "./interrupt.js";
import type { Interruptible, Subject } from "./interruptible.js";
import { smallOwner } from "./small-vm.js";
import { connection, type TestStore } from "./store.js";
import { assertHonest, storeDomains } from "./whole-store.js";

let counter = 0;

/** Prepares the operation under a new name, and removes what there is of it in the end. */
export async function withSubject(
  operation: Interruptible,
  store: TestStore,
  work: (subject: Subject) => Promise<void>,
): Promise<void> {
  const name = `vms-test-kill-${process.pid}-${counter++}`;
  const subject = await operation.prepare(store.settings, name, store.context);
  try {
    await work(subject);
  } finally {
    // Also behind a failure: the next test begins with nothing.
    for (const { uuid } of await storeDomains(store.settings))
      await removeVm(connection, uuid, smallOwner, store.context, { shutdown: 0 });
  }
}

/** Titles of the operation's tests: it reaches its steps, and it comes to its end after a kill behind each of them. */
export function testKills(operation: Interruptible, store: () => TestStore): void {
  let recorded: readonly Step[] | undefined;

  /** The steps of an uninterrupted run, in their order. */
  async function record(): Promise<readonly Step[]> {
    let reached: readonly Step[] = [];
    await withSubject(operation, store(), async (subject) => {
      reached = (await runApart(operation, subject)).steps;
      await operation.verify(subject, store().context);
    });
    return reached;
  }

  it(`${operation.title}: reaches each of its steps where nothing interrupts it`, async () => {
    const reached = (recorded ??= await record());
    const missed = operation.steps.filter((step) => !reached.includes(step));
    assert.deepEqual(missed, []);
  });

  for (const step of operation.steps) {
    it(`${operation.title}: comes to its end after a kill behind "${step}"`, async () => {
      const reached = (recorded ??= await record());
      const times = reached.flatMap((one, index) => (one === step ? [index] : []));
      assert.notDeepEqual(times, [], `${step} is not reached`);
      for (const time of times) {
        await withSubject(operation, store(), async (subject) => {
          const { killed, steps: done } = await runApart(operation, subject, time);
          assert.ok(killed, "it was to be killed");
          assert.equal(done.at(-1), step);
          await assertHonest(store().settings);
          await operation.run(subject, store().context);
          await operation.verify(subject, store().context);
        });
      }
    });
  }
}
