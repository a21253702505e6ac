/** Whose a disk's file is, and by which names it is used, where that is changed by hand or seen from elsewhere. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { findDomain, setMark } from "../../provider/libvirt/domain.js";
import { switchDisks } from "../../provider/libvirt/snapshot.js";
import { storePaths } from "../../provider/paths.js";
import type { Step } from "../../provider/steps.js";
import { basePathOf, nameBase } from "../../provider/storage/bases.js";
import { createDisk, createOverlay } from "../../provider/storage/qemu-img.js";
import { newDiskPath } from "../../provider/storage/store.js";
import { settleDisks } from "../../provider/vm/settle.js";
import { compactVm } from "../../provider/vm/shared-files.js";
import { byHand, newName, type Vm } from "../support/by-hand.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import { commandOf, descendants } from "../support/processes.js";
import { eventually, minute } from "../support/scene.js";
import { expectBlocks, writeWhileOn } from "../support/small-disk.js";
import { imagePattern, makeSmallStore, smallCapacity } from "../support/small-vm.js";
import { type TestStore, connection, virsh } from "../support/store.js";
import { assertWhole, storeDomains } from "../support/whole-store.js";

describe("the files of a VM that its user works on by hand (real libvirtd, no guest)", () => {
  let store: TestStore;
  beforeEach(async () => {
    store = await makeSmallStore();
  });
  afterEach(() => store.remove());
  const { make, clone, remove, at } = byHand(() => store);

  it("may save its memory after it was cloned while it ran: it can be restored, and the old names of its disks go later", async () => {
    const source = await make();
    virsh("start", source.uuid);
    writeWhileOn(source.uuid, 1, 0x22);
    const copy = await clone(source);
    virsh("managedsave", source.uuid);
    await assert.rejects(clone(source), /its memory was saved/);
    virsh("start", source.uuid);
    await assertWhole(store.settings, [source.name, copy.name]);
    virsh("destroy", source.uuid);
    const { mark: before } = (await findDomain(connection, source.uuid)) ?? {};
    assert.equal(await compactVm(connection, source.name, store.context), 1);
    const { mark: after } = (await findDomain(connection, source.uuid)) ?? {};
    assert.equal(after?.files.length, (before?.files.length ?? 0) - 1);
    for (const vm of [source, copy]) await remove(vm);
    await assertWhole(store.settings, []);
  });

  it("may have copied its definition, our mark and all: the copy is nobody's, and takes no file of the original with it", async () => {
    const source = await make();
    const [name, uuid] = [newName(), randomUUID()];
    const own = new RegExp(`(<uuid>|name='uuid'>)${source.uuid}`, "g");
    const xml = virsh("dumpxml", "--inactive", source.uuid).replace(own, `$1${uuid}`).replace(source.name, name);
    const file = join(store.settings.images, "copy.xml");
    // As virt-clone does: another disk, and the metadata as it is.
    writeFileSync(file, xml.replace(topOf(source.uuid), `${topOf(source.uuid)}-clone`).replace(/<mac [^>]*>/g, ""));
    virsh("define", file);
    try {
      assert.match(virsh("dumpxml", uuid), new RegExp(`<vms:vm [^>]*uuid=["']${source.uuid}["']`));
      await assert.rejects(remove({ name, uuid }), /not ours .*it was left alone/);
      await assert.rejects(clone({ name, uuid }), /is not a VM of ours; it was left alone/);
      assert.ok(existsSync(topOf(source.uuid)));
    } finally {
      virsh("undefine", uuid, "--keep-nvram");
    }
    await assertWhole(store.settings, [source.name]);
  });

  describe("may have its memory saved in the middle of a clone", () => {
    const save = (uuid: string) => virsh("managedsave", uuid);
    const restore = (uuid: string) => {
      virsh("start", uuid);
      virsh("destroy", uuid);
    };
    let source: Vm;
    beforeEach(async () => {
      source = await make();
      virsh("start", source.uuid);
      writeWhileOn(source.uuid, 1, 0x22);
      // From then on the chain that it runs with has an old name.
      await clone(source);
      writeWhileOn(source.uuid, 2, 0x33);
    });
    afterEach(async () => {
      virsh("destroy", source.uuid);
      const copy = await clone(source);
      const blocks = new Map([
        [1, 0x22],
        [2, 0x33],
      ]);
      for (const { uuid } of [source, copy]) expectBlocks(topOf(uuid), smallCapacity, blocks, imagePattern);
      for (const vm of await storeDomains(store.settings)) if (vm.mark?.phase !== "ready") await remove(vm);
      const names = (await storeDomains(store.settings)).map(({ name }) => name);
      await assertWhole(store.settings, names);
    });

    it("before it writes to another file: it is not cloned, and restored with the one that it was saved with", async () => {
      const before = topOf(source.uuid);
      await assert.rejects(
        clone(
          source,
          at("freeze: overlay made", () => save(source.uuid)),
        ),
        /its memory was saved/,
      );
      assert.equal(topOf(source.uuid), before);
      virsh("start", source.uuid);
    });

    it("behind that: it is cloned, and restored with the new one", async () => {
      const before = topOf(source.uuid);
      await clone(
        source,
        at("freeze: switched", () => save(source.uuid)),
      );
      assert.notEqual(topOf(source.uuid), before);
      virsh("start", source.uuid);
      assert.match(virsh("domblklist", source.uuid), new RegExp(topOf(source.uuid)));
    });

    it("and is restored at once with the old file: it goes on in the new one", async () => {
      virsh("destroy", source.uuid);
      const before = topOf(source.uuid);
      const reached = (step: Step): void => {
        if (step === "freeze: overlay made") virsh("start", source.uuid);
        if (step !== "freeze: switched") return;
        save(source.uuid);
        virsh("start", source.uuid);
        assert.match(virsh("domblklist", source.uuid), new RegExp(before));
      };
      await clone(source, { ...store.context, reached });
      assert.notEqual(topOf(source.uuid), before);
      assert.match(virsh("domblklist", source.uuid), new RegExp(topOf(source.uuid)));
    });

    it("where it was off and was started just then: with the file that it was started with", async () => {
      virsh("destroy", source.uuid);
      const before = topOf(source.uuid);
      for (const [step, refused] of [
        ["freeze: overlay made", true],
        ["freeze: switched", false],
      ] as const) {
        const made = clone(
          source,
          at(step, () => {
            virsh("start", source.uuid);
            save(source.uuid);
          }),
        );
        if (refused) await assert.rejects(made, /its memory was saved/);
        else await made;
        assert.equal(topOf(source.uuid) === before, refused);
        restore(source.uuid);
      }
      virsh("start", source.uuid);
    });
  });

  it("may lend its disk to another VM: neither is cloned meanwhile, and each keeps what is its own", async () => {
    const [owner, borrower] = [await make(), await make()];
    const disk = topOf(owner.uuid);
    writeInside(disk, "0", "64k", 0x22);
    const attach = (path: string) =>
      virsh("attach-disk", borrower.uuid, path, "vdb", "--targetbus", "virtio", "--config", "--subdriver", "qcow2");
    attach(disk);
    await assert.rejects(clone(borrower), new RegExp(`its disk vdb \\(${disk}\\) is a disk of ${owner.name} too`));
    await assert.rejects(clone(owner), new RegExp(`its disk vda \\(${disk}\\) is a disk of ${borrower.name} too`));
    // By another path to it.
    const link = join(store.settings.images, "link");
    symlinkSync(dirname(disk), link);
    virsh("detach-disk", borrower.uuid, "vdb", "--config");
    attach(join(link, basename(disk)));
    await assert.rejects(clone(borrower), new RegExp(`is a disk of ${owner.name} too`));
    await assert.rejects(clone(owner), new RegExp(`is a disk of ${borrower.name} too`));
    // Out of the owner's definition, and the owner's for all that.
    virsh("detach-disk", owner.uuid, "vda", "--config");
    await assert.rejects(clone(borrower), new RegExp(`is a disk of ${owner.name} too`));
    virsh("attach-disk", owner.uuid, disk, "vda", "--config", "--subdriver", "qcow2");
    await remove(borrower);
    assert.ok(readsInside(disk, "0", "64k", 0x22));
    await assertWhole(store.settings, [owner.name]);
  });

  it("may have a disk in our directory that they made: a clone, made or not, leaves it to them", async () => {
    const source = await make();
    const own = join(storePaths(store.settings).disk, "own.qcow2");
    await createDisk(own, 16 * 1024 ** 2);
    writeInside(own, "0", "64k", 0x44);
    virsh("attach-disk", source.uuid, own, "vdb", "--targetbus", "virtio", "--config", "--subdriver", "qcow2");
    const stop = (): never => {
      throw new Error("stopped");
    };
    await assert.rejects(clone(source, at("freeze: overlay made", stop)), /stopped/);
    await clone(source);
    for (const vm of await storeDomains(store.settings)) await remove(vm);
    assert.ok(readsInside(own, "0", "64k", 0x44));
    assert.equal(statSync(own).mode & 0o222, 0o220, "and to be written to again");
    rmSync(own);
    await assertWhole(store.settings, []);
  });

  it("may take a disk out that has nothing of its own: the frozen disk below it stays", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    await remove(await clone(source));
    const top = topOf(source.uuid);
    virsh("detach-disk", source.uuid, "vda", "--config");
    await compactVm(connection, source.name, store.context);
    virsh("attach-disk", source.uuid, top, "vda", "--config", "--subdriver", "qcow2");
    assert.ok(readsInside(top, "0", "64k", 0x22));
    await assertWhole(store.settings, [source.name]);
  });

  it("may take a disk out that an interrupted freeze has given a second name: what is on it stays", async () => {
    const source = await make();
    const disk = topOf(source.uuid);
    writeInside(disk, "0", "64k", 0x22);
    linkSync(disk, basePathOf(store.settings, disk));
    virsh("detach-disk", source.uuid, "vda", "--config");
    await compactVm(connection, source.name, store.context);
    assert.ok(readsInside(disk, "0", "64k", 0x22));
    virsh("attach-disk", source.uuid, disk, "vda", "--config", "--subdriver", "qcow2");
    const copy = await clone(source);
    assert.ok(readsInside(topOf(copy.uuid), "0", "64k", 0x22));
    await assertWhole(store.settings, [source.name, copy.name]);
  });

  it("are not settled while libvirtd is still busy with the snapshot of a freeze that was killed", async () => {
    const { uuid, name } = await make();
    const old = topOf(uuid);
    const [base, fresh] = [basePathOf(store.settings, old), newDiskPath(store.settings)];
    virsh("start", uuid);
    const mark = (await findDomain(connection, uuid))?.mark ?? assert.fail();
    await setMark(connection, uuid, { ...mark, files: [...mark.files, fresh] });
    await nameBase(old, base);
    await createOverlay(fresh, base);
    const qemu = Number(readFileSync(`/run/libvirt/qemu/${name}.pid`, "utf8"));
    // It answers libvirtd later.
    process.kill(qemu, "SIGSTOP");
    let settled: Promise<void>;
    let switched: Promise<boolean>;
    try {
      switched = switchDisks(connection, uuid, [{ target: "vda", file: fresh }], [], false);
      await eventually(() => !virsh("domcontrol", uuid).startsWith("ok"), minute);
      settled = settleDisks(connection, uuid, store.context);
      await eventually(() => descendants(process.pid).some((pid) => commandOf(pid).includes("\0metadata\0")), minute);
      assert.ok(existsSync(fresh), "nobody uses it yet, and it is about to be used");
    } finally {
      process.kill(qemu, "SIGCONT");
    }
    await Promise.all([switched, settled]);
    assert.equal(topOf(uuid), fresh);
    writeWhileOn(uuid, 1, 0x33);
    await assertWhole(store.settings, [name]);
  });
});
