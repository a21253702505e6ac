/** What others do at the same time on the same host, with domains of their own or with this one by hand (real libvirtd, no guest). */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../provider/context.js";
import { hasCode } from "../../provider/errors.js";
import { tryLock } from "../../provider/host/lock.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { silent } from "../../provider/progress.js";
import { storeLock } from "../../provider/storage/bases.js";
import type { Step } from "../../provider/steps.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { createVm } from "../../provider/vm/create.js";
import { consoleLogOf } from "../../provider/vm/describe.js";
import { startVm } from "../../provider/vm/lifecycle.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import { topOf, writeInside } from "../support/disk-content.js";
import { cloneSpec } from "../support/interruptible.js";
import { makeSmallStore, smallSpec } from "../support/small-vm.js";
import { leaveAt } from "../support/states.js";
import { connection, type TestStore, virsh } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";

let counter = 0;
const newName = () => `vms-test-neighbours-${process.pid}-${counter++}`;

describe("whoever else works on this host", () => {
  let store: TestStore;
  beforeEach(async () => {
    store = await makeSmallStore();
  });
  afterEach(() => store.remove());

  const make = async (name = newName()): Promise<{ name: string; uuid: string }> => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    return { name, uuid };
  };
  const clone = async (source: string, context = store.context): Promise<{ name: string; uuid: string }> => {
    const name = newName();
    const { uuid } = await cloneVm(cloneSpec(store.settings, source, name), commandLine, context);
    return { name, uuid };
  };
  const remove = ({ uuid }: { uuid: string }, context = store.context) =>
    removeVm(connection, uuid, commandLine, context, { shutdown: 0 });
  const logOf = async (uuid: string): Promise<string> => {
    const domain = await findDomain(connection, uuid);
    assert.ok(domain);
    return consoleLogOf(domain);
  };
  /** Does something by hand, once, when a step is reached. */
  const at = (step: Step, work: () => void): Context => {
    let done = false;
    const reached = (one: Step): void => {
      if (one !== step || done) return;
      done = true;
      work();
    };
    return { ...store.context, reached };
  };

  it("may be deleting a VM, or making one: the bases that nobody uses go all the same, and a directory is no disk", async () => {
    const [source, deleting, creating] = [await make(), await make(), await make()];
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    const copy = await clone(source.name);
    assert.equal(readdirSync(storePaths(store.settings).base).length, 1);
    await leaveAt(deleting.uuid, "deleting");
    await leaveAt(creating.uuid, "creating");
    for (const { uuid } of [deleting, creating]) rmSync(topOf(uuid));
    mkdirSync(join(storePaths(store.settings).disk, "theirs"));
    const notices: string[] = [];
    const listening = { ...store.context, progress: { ...silent, notice: (text: string) => void notices.push(text) } };
    await remove(copy, listening);
    await remove(source, listening);
    assert.deepEqual(readdirSync(storePaths(store.settings).base), []);
    assert.deepEqual(notices, []);
  });

  it("may look for bases that nobody uses: a clone makes its disk before that or behind it", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    await clone(source.name);
    const sweep = await tryLock(storeLock(store.settings));
    assert.ok(sweep);
    const { disk } = storePaths(store.settings);
    const before = readdirSync(disk).length;
    let frozen: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (frozen = resolve));
    const second = clone(
      source.name,
      at("clone: frozen", () => {
        frozen();
      }),
    );
    await reached;
    // Longer than qemu-img takes to make one.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(readdirSync(disk).length, before);
    await sweep.release();
    await second;
    assert.equal(readdirSync(disk).length, before + 1);
    assert.equal(readdirSync(storePaths(store.settings).base).length, 1, "it is a clone of what was frozen before");
  });

  it("may start a VM that waits to be started", async () => {
    const { uuid } = await make();
    virsh("start", uuid, "--paused");
    const guest = { connection, uuid, consoleLog: await logOf(uuid), limit: 1 };
    const failure: unknown = await startVm(guest, "tcg", store.context).catch((error: unknown) => error);
    virsh("destroy", uuid);
    // It is waited for like one that we have started; no guest is in it.
    assert.ok(hasCode(failure, "console-timeout", "guest"), String(failure));
  });

  it("may have given a VM another name: the next one of its name has a log of its own", async () => {
    const first = await make();
    virsh("domrename", first.uuid, `${first.name}-x`);
    const second = await make(first.name);
    const [log, other] = [await logOf(first.uuid), await logOf(second.uuid)];
    assert.notEqual(log, other);
    assert.ok(existsSync(log) && existsSync(other));
    await remove(second);
    assert.ok(existsSync(log));
    assert.equal(existsSync(other), false);
    const third = await clone(`${first.name}-x`);
    await remove(third);
    await remove(first);
    await assertWhole(store.settings, []);
  });

  for (const step of ["delete: power-off awaited", "delete: killed", "delete: bases swept"] as const) {
    it(`may undefine a VM while it is deleted, behind "${step}": what is removed by then is gone, and the rest is left`, async () => {
      const vm = await make();
      const disk = topOf(vm.uuid);
      const removed = await remove(
        vm,
        at(step, () => virsh("undefine", vm.uuid, "--nvram")),
      );
      const early = step === "delete: power-off awaited";
      assert.deepEqual([removed, existsSync(disk)], [!early, early]);
    });
  }

  it("may have undefined a VM that runs on: it is deleted like any other", async () => {
    const vm = await make();
    virsh("start", vm.uuid);
    virsh("undefine", vm.uuid, "--keep-nvram");
    assert.equal(await remove(vm), true);
    await assertWhole(store.settings, []);
  });
});
