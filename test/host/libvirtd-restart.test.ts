/** libvirtd that goes away, or is restarted, in the middle of an operation. */
import assert from "node:assert/strict";
import { toVmsError } from "../../provider/errors.js";
import type { Step } from "../../provider/steps.js";
import type { Context } from "../../provider/context.js";
import { removeVm } from "../../provider/vm/remove.js";
import { interruptible } from "../support/interruptible.js";
import { stopLibvirtd } from "../support/libvirtd.js";
import { makeSmallStore, smallOwner } from "../support/small-vm.js";
import { type TestStore, bootstrap, connection } from "../support/store.js";
import { storeDomains } from "../support/whole-store.js";

describe("libvirtd in the middle of an operation (real libvirtd, no guest)", () => {
  let store: TestStore;
  before(async () => {
    store = await makeSmallStore();
  });
  after(async () => {
    bootstrap(store.settings);
    await store.remove();
  });

  const cases: readonly (readonly [title: string, step: Step])[] = [
    ["create", "create: overlay made"],
    ["clone", "freeze: base named"],
    ["clone of a VM that runs", "freeze: overlay made"],
    ["delete of a VM that runs", "delete: marked"],
  ];
  for (const [title, step] of cases) {
    for (const comesBack of [true, false]) {
      const what = comesBack ? "is restarted" : "goes away";
      it(`${what} behind "${step}": ${title} goes on or says so, and comes to its end when it is run again`, async () => {
        const operation = interruptible.find((one) => one.title === title);
        assert.ok(operation);
        const name = `vms-test-restart-${process.pid}-${what.length}-${step.replace(/\W+/g, "-")}`;
        const subject = await operation.prepare(store.settings, name, store.context);
        let stopped = false;
        const reached = (one: Step): void => {
          if (one !== step || stopped) return;
          stopped = true;
          stopLibvirtd();
          if (comesBack) bootstrap(store.settings);
        };
        const context: Context = { ...store.context, reached };
        const failure = await operation.run(subject, context).then(
          () => undefined,
          (error: unknown) => error,
        );
        assert.ok(stopped);
        if (!comesBack) bootstrap(store.settings);
        if (!comesBack || failure !== undefined)
          assert.match(toVmsError(failure).message, /libvirt does not answer[^]*vms bootstrap/);
        // What has come to its end already has nothing left to do.
        if (failure !== undefined) await operation.run(subject, store.context);
        await operation.verify(subject, store.context);
        for (const { uuid } of await storeDomains(store.settings))
          await removeVm(connection, uuid, smallOwner, store.context, { shutdown: 0 });
      });
    }
  }
});
