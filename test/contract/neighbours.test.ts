/** What others do at the same time on the same host, with domains of their own or with this one by hand (real libvirtd, no guest). */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../../provider/errors.js";
import { tryLock } from "../../provider/host/lock.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { storeLock } from "../../provider/storage/bases.js";
import { consoleLogOf } from "../../provider/vm/describe.js";
import { startVm } from "../../provider/vm/lifecycle.js";
import { forceOff } from "../../provider/vm/power.js";
import { byHand } from "../support/by-hand.js";
import { topOf, writeInside } from "../support/disk-content.js";
import { recording } from "../support/recorded.js";
import { makeSmallStore } from "../support/small-vm.js";
import { leaveAt } from "../support/states.js";
import { connection, type TestStore, virsh } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";

describe("whoever else works on this host", () => {
  let store: TestStore;
  beforeEach(async () => {
    store = await makeSmallStore();
  });
  afterEach(() => store.remove());

  const { make, clone, remove, bases, at } = byHand(() => store);
  const logOf = async (uuid: string): Promise<string> => {
    const domain = await findDomain(connection, uuid);
    assert.ok(domain);
    return consoleLogOf(domain);
  };

  it("may be deleting a VM, or making one: the bases that nobody uses go all the same, and a directory is no disk", async () => {
    const [source, deleting, creating] = [await make(), await make(), await make()];
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    const copy = await clone(source);
    assert.equal(bases().length, 1);
    await leaveAt(deleting.uuid, "deleting");
    await leaveAt(creating.uuid, "creating");
    for (const { uuid } of [deleting, creating]) rmSync(topOf(uuid));
    mkdirSync(join(storePaths(store.settings).disk, "theirs"));
    const context = recording(store.context);
    await remove(copy, context);
    await remove(source, context);
    assert.deepEqual(bases(), []);
    assert.deepEqual(context.notices, []);
  });

  it("may look for bases that nobody uses: a clone makes its disk before that or behind it", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    await clone(source);
    const sweep = await tryLock(storeLock(store.settings));
    assert.ok(sweep);
    const { disk } = storePaths(store.settings);
    const before = readdirSync(disk).length;
    let frozen: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (frozen = resolve));
    const second = clone(
      source,
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
    assert.equal(bases().length, 1, "it is a clone of what was frozen before");
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
    const third = await clone({ ...first, name: `${first.name}-x` });
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

  it("may have undefined a VM that runs on: forced off it is there still, for its disk would be nobody's", async () => {
    const vm = await make();
    const disk = topOf(vm.uuid);
    virsh("start", vm.uuid);
    virsh("undefine", vm.uuid, "--keep-nvram");
    assert.equal((await forceOff(connection, vm.name)).outcome, "forced off");
    assert.equal((await findDomain(connection, vm.uuid))?.disks[0], disk);
    await remove(vm);
    await assertWhole(store.settings, []);
  });

  it("may have undefined a VM that runs on: it is deleted like any other", async () => {
    const vm = await make();
    virsh("start", vm.uuid);
    virsh("undefine", vm.uuid, "--keep-nvram");
    let state = "";
    const removal = at("delete: killed", () => (state = virsh("domstate", vm.uuid)));
    assert.equal(await remove(vm, removal), true);
    assert.equal(state, "shut off", "whoever is interrupted there finds it again");
    await assertWhole(store.settings, []);
  });
});
