/** A VM whose guest has crashed, and whose definition keeps it for a look at its memory: qemu is there still, with its disk open. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { archVm } from "../../provider/arch-vm.js";
import type { Context } from "../../provider/context.js";
import { dumpDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import type { Step } from "../../provider/steps.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { removeVm } from "../../provider/vm/remove.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { converge } from "../../provider/vm-operations.js";
import { cloneSpec, makeSubject, type Subject } from "../support/interruptible.js";
import { recording } from "../support/recorded.js";
import { inputsOf, makeSmallStore, smallOwner, smallSpec } from "../support/small-vm.js";
import { panicGuest, stateOf } from "../support/states.js";
import { connection, type TestStore } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";

describe("a VM whose guest crashed, and is kept (real libvirtd)", () => {
  const name = `vms-test-crashed-${process.pid}`;
  let store: TestStore;
  let vm: Subject;

  before(async () => {
    store = await makeSmallStore();
    vm = await makeSubject(smallSpec(store.settings, name), store.context);
    await panicGuest(store, vm.id);
  });
  after(() => store.remove());

  const update = async (changes: Partial<VmSpec>, context: Context): Promise<void> => {
    const inputs = { ...inputsOf({ ...vm.spec, ...changes }), running: changes.running };
    await converge(archVm, vm.id, { ...vm.state, running: undefined }, inputs, context);
  };

  it("is not cloned: what to do first is said, and nothing has changed", async () => {
    const before = await dumpDomain(connection, vm.id);
    await assert.rejects(
      cloneVm(cloneSpec(store.settings, name, `${name}-clone`), smallOwner, store.context),
      new RegExp(`its guest crashed[^]*Start it anew: vms start ${name}. Or end it: vms kill ${name}`),
    );
    assert.equal(await dumpDomain(connection, vm.id), before);
    assert.deepEqual(readdirSync(storePaths(store.settings).base), []);
  });

  it("is not changed, unless the change says that it is to run", async () => {
    const before = await dumpDomain(connection, vm.id);
    await assert.rejects(update({ memory: 192 }, store.context), /its guest crashed[^]*virsh -c \S+ destroy/);
    assert.equal(await dumpDomain(connection, vm.id), before);
    assert.equal(stateOf(vm.id), "crashed");
  });

  it("is started anew by a change that says so, which tells it", async () => {
    const context = recording(store.context);
    // There is no guest in it that could become ready.
    const change = update({ memory: 192, running: true, timeouts: { boot: 1 } }, context);
    await assert.rejects(change, /is not ready|not become ready|within 1 s/);
    assert.deepEqual(context.notices, ["Its guest had crashed: it is started anew"]);
    assert.equal(stateOf(vm.id), "running");
    assert.match(await dumpDomain(connection, vm.id), /<memory unit='KiB'>196608</);
  });

  it("is deleted without a wait for a guest that is not there", async () => {
    const id = (await makeSubject(smallSpec(store.settings, `${name}-2`), store.context)).id;
    await panicGuest(store, id);
    const steps: Step[] = [];
    const context = { ...store.context, reached: (step: Step) => steps.push(step) };
    assert.ok(await removeVm(connection, id, smallOwner, context, { shutdown: 600 }));
    assert.equal(steps.includes("stop: asked"), false);
    await removeVm(connection, vm.id, smallOwner, store.context, { shutdown: 0 });
    await assertWhole(store.settings, []);
  });
});
