/** Deleting a VM that runs; there is no guest in these, so they power off only where somebody forces them. */
import assert from "node:assert/strict";
import { hasCode } from "../../provider/errors.js";
import { findDomain, isOff, setMark } from "../../provider/libvirt/domain.js";
import type { Step } from "../../provider/steps.js";
import { createVm } from "../../provider/vm/create.js";
import { shutDown } from "../../provider/vm/lifecycle.js";
import { removeVm } from "../../provider/vm/remove.js";
import { recording } from "../support/recorded.js";
import { makeSmallStore, smallOwner, smallSpec } from "../support/small-vm.js";
import { type TestStore, connection, virsh } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";

let counter = 0;

describe("the removal of a VM that runs (real libvirtd, no guest)", () => {
  let store: TestStore;
  before(async () => {
    store = await makeSmallStore();
  });
  after(() => store.remove());

  async function makeRunning(): Promise<{ name: string; uuid: string }> {
    const name = `vms-test-removal-${process.pid}-${counter++}`;
    const { uuid } = await createVm(smallSpec(store.settings, name), smallOwner, store.context);
    virsh("start", uuid);
    return { name, uuid };
  }

  it("forces off what does not react in its grace time, and says so", async () => {
    const { name, uuid } = await makeRunning();
    const context = recording(store.context);
    assert.equal(await removeVm(connection, uuid, smallOwner, context, { shutdown: 1 }), true);
    assert.deepEqual(context.phases, ["shutting it down", "removing"]);
    assert.deepEqual(context.notices, [`${name}: it did not power off within 1 s and was forced off`]);
    await assertWhole(store.settings, []);
  });

  it("forces it off at once where there is no grace time, and says nothing of a VM that is off", async () => {
    const { name, uuid } = await makeRunning();
    const context = recording(store.context);
    await removeVm(connection, uuid, smallOwner, context, { shutdown: 0 });
    assert.deepEqual(context.notices, [`${name}: it was forced off at once`]);
    const off = await makeRunning();
    virsh("destroy", off.uuid);
    const silentOne = recording(store.context);
    await removeVm(connection, off.uuid, smallOwner, silentOne);
    assert.deepEqual(silentOne.phases, ["removing"]);
    assert.deepEqual(silentOne.notices, []);
  });

  it("that is cancelled in the grace time has deleted nothing: the VM is ready and runs", async () => {
    const { name, uuid } = await makeRunning();
    const cancel = new AbortController();
    const reached = (step: Step): void => {
      if (step === "stop: asked") cancel.abort();
    };
    const removal = removeVm(
      connection,
      uuid,
      smallOwner,
      recording({ ...store.context, signal: cancel.signal, reached }),
      {
        shutdown: 600,
      },
    );
    await assert.rejects(removal, (error) => hasCode(error, "cancelled"));
    assert.equal(await isOff(connection, uuid), false);
    await assertWhole(store.settings, [name]);
    await removeVm(connection, uuid, smallOwner, store.context, { shutdown: 0 });
    await assertWhole(store.settings, []);
  });

  it("that an interrupted run left is forced off without being asked", async () => {
    const { uuid } = await makeRunning();
    const mark = (await findDomain(connection, uuid))?.mark;
    assert.ok(mark);
    await setMark(connection, uuid, { ...mark, phase: "creating" });
    const steps: Step[] = [];
    const context = recording({ ...store.context, reached: (step) => steps.push(step) });
    await removeVm(connection, uuid, smallOwner, context, { shutdown: 600 });
    assert.equal(steps.includes("stop: asked"), false);
    assert.deepEqual(context.notices, []);
    await assertWhole(store.settings, []);
  });

  it("is no way in which a graceful stop forces one: that fails, and leaves it running", async () => {
    const { uuid } = await makeRunning();
    await assert.rejects(
      shutDown(connection, uuid, 1, store.context),
      /did not power off within 1 s \(asked by ACPI\)/,
    );
    assert.equal(await isOff(connection, uuid), false);
    await removeVm(connection, uuid, smallOwner, store.context, { shutdown: 0 });
  });
});
