/** Kills operations, each in a process of its own and under a name of its own, and runs them again to their end. */
import assert from "node:assert/strict";
import type { Step } from "../../provider/steps.js";
import { removeVm } from "../../provider/vm/remove.js";
import { runApart } from "./interrupt.js";
import type { Interruptible, Subject } from "./interruptible.js";
import type { TimeOfStep } from "./operate.js";
import { makeSmallStore, smallOwner } from "./small-vm.js";
import { connection, type TestStore } from "./store.js";
import { tellInOrder } from "./story.js";
import { assertHonest, storeDomains } from "./whole-store.js";

let counter = 0;

/** Prepares the operation under a new name, and removes what there is of it in the end. */
export async function withSubject(
  operation: Interruptible,
  store: TestStore,
  work: (subject: Subject) => Promise<void>,
): Promise<void> {
  const subject = await prepare(operation, store);
  try {
    await work(subject);
  } finally {
    // Also behind a failure: the next test begins with nothing.
    await removeAll(store);
  }
}

/** Of all these operations, in one store that is removed in the end. */
export function testAllKills(operations: readonly Interruptible[]): void {
  let store: TestStore;
  before(async () => {
    store = await makeSmallStore();
  });
  after(() => store.remove());
  for (const operation of operations) testKills(operation, () => store);
}

/** Titles of the operation's tests: it reaches its steps, and it comes to its end after a kill behind each of them. */
export function testKills(operation: Interruptible, store: () => TestStore): void {
  let recorded: readonly Step[] | undefined;

  /** The steps of an uninterrupted run, in their order. */
  async function record(): Promise<readonly Step[]> {
    if (recorded !== undefined) return recorded;
    let reached: readonly Step[] = [];
    await withSubject(operation, store(), async (subject) => {
      reached = (await runApart(operation, subject)).steps;
      await operation.verify(subject, store().context);
    });
    return (recorded = reached);
  }

  /** How often an uninterrupted run does the step, as so many moments. */
  async function momentsOf(step: Step): Promise<TimeOfStep[]> {
    const moments = (await record()).filter((one) => one === step).map((_, index) => ({ step, time: index + 1 }));
    assert.notDeepEqual(moments, [], `${step} is not reached`);
    return moments;
  }

  it(`${operation.title}: reaches each of its steps where nothing interrupts it`, async () => {
    const reached = await record();
    const missed = operation.steps.filter((step) => !reached.includes(step));
    assert.deepEqual(missed, []);
  });

  const firstMoment = (step: Step): Promise<TimeOfStep[]> => Promise.resolve([{ step, time: 1 }]);
  if (operation.inARow === undefined) testEach(operation, store, momentsOf);
  else testInARow(operation, store, operation.inARow === "every time" ? momentsOf : firstMoment);
}

type MomentsOf = (step: Step) => Promise<TimeOfStep[]>;

function testEach(operation: Interruptible, store: () => TestStore, momentsOf: MomentsOf): void {
  for (const step of operation.steps) {
    it(`${operation.title}: comes to its end after a kill behind "${step}"`, async () => {
      for (const moment of await momentsOf(step)) {
        await withSubject(operation, store(), async (subject) => {
          await killBehind(operation, subject, moment, store());
          await operation.run(subject, store().context);
          await operation.verify(subject, store().context);
        });
      }
    });
  }
}

function testInARow(operation: Interruptible, store: () => TestStore, momentsOf: MomentsOf): void {
  describe(`${operation.title}, killed again and again`, () => {
    tellInOrder();
    let subject: Subject;
    before(async () => {
      subject = await prepare(operation, store());
    });
    after(() => removeAll(store()));

    for (const step of operation.steps)
      it(`comes as far as "${step}", whatever the kills before have left`, async () => {
        for (const moment of await momentsOf(step)) await killBehind(operation, subject, moment, store());
      });

    it("comes to its end", async () => {
      await operation.run(subject, store().context);
      await operation.verify(subject, store().context);
    });
  });
}

function prepare(operation: Interruptible, { settings, context }: TestStore): Promise<Subject> {
  return operation.prepare(settings, `vms-test-kill-${process.pid}-${counter++}`, context);
}

async function removeAll({ settings, context }: TestStore): Promise<void> {
  for (const { uuid } of await storeDomains(settings))
    await removeVm(connection, uuid, smallOwner, context, { shutdown: 0 });
}

async function killBehind(
  operation: Interruptible,
  subject: Subject,
  moment: TimeOfStep,
  store: TestStore,
): Promise<void> {
  const { killed, steps } = await runApart(operation, subject, moment);
  assert.ok(killed, `it was to be killed behind ${moment.step}, for the ${moment.time}. time`);
  assert.equal(steps.at(-1), moment.step);
  await assertHonest(store.settings);
}
