/** What users do to VMs of ours by virsh and qemu-img, before and in the middle of a clone: nobody's data may be lost by it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasCode } from "../../provider/errors.js";
import { findDomain, setMark } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { silent } from "../../provider/progress.js";
import { createDisk, createOverlay } from "../../provider/storage/qemu-img.js";
import { sweepBases } from "../../provider/vm/bases.js";
import { removeVm } from "../../provider/vm/remove.js";
import { compactVm } from "../../provider/vm/shared-files.js";
import { byHand, newName } from "../support/by-hand.js";
import { readsInside, requireWhole, topOf, writeInside } from "../support/disk-content.js";
import { recordProgress, recording } from "../support/recorded.js";
import { writeWhileOn } from "../support/small-disk.js";
import { makeSmallStore, smallOwner } from "../support/small-vm.js";
import { type TestStore, connection, makeStore, removeDomain, virsh } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";

describe("a VM that its user works on by hand (real libvirtd, no guest)", () => {
  let store: TestStore;
  beforeEach(async () => {
    store = await makeSmallStore();
  });
  afterEach(() => store.remove());

  const { make, clone, remove, bases, at } = byHand(() => store);

  it("may start it in the middle of a freeze: the clone does not see what it writes from then on", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    const copy = await clone(
      source,
      at("freeze: overlay made", () => virsh("start", source.uuid)),
    );
    writeWhileOn(source.uuid, 3, 0x33);
    assert.ok(readsInside(topOf(copy.uuid), "0", "64k", 0x22));
    assert.ok(readsInside(topOf(copy.uuid), "5M", "16k", 0x11), "what the source wrote behind the clone");
    virsh("destroy", source.uuid);
    assert.ok(readsInside(topOf(source.uuid), "5M", "16k", 0x33));
    for (const vm of [source, copy]) requireWhole(topOf(vm.uuid));
  });

  it("may let it run on after a clone: its own bases stay, and those of others go with their last user", async () => {
    const [source, other] = [await make(), await make()];
    virsh("start", source.uuid);
    await clone(source);
    const own = bases();
    writeInside(topOf(other.uuid), "0", "64k", 0x22);
    const copy = await clone(other);
    assert.equal(bases().length, 2);
    for (const vm of [copy, other]) await remove(vm);
    assert.deepEqual(bases(), own);
  });

  it("may switch it off in the middle of a freeze: the clone is made, or refused and made by the next call", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    virsh("start", source.uuid);
    const context = at("freeze: overlay made", () => virsh("destroy", source.uuid));
    const copy = await clone(source, context).catch((error: unknown) => {
      assert.ok(hasCode(error, "command", "busy", "gone"), String(error));
      assert.match(String(error), /Cannot clone VM/);
      return clone(source);
    });
    writeInside(topOf(source.uuid), "0", "64k", 0x33);
    assert.ok(readsInside(topOf(copy.uuid), "0", "64k", 0x22));
    for (const vm of [source, copy]) {
      virsh("start", vm.uuid);
      virsh("destroy", vm.uuid);
      requireWhole(topOf(vm.uuid));
    }
  });

  it("may have taken snapshots: it is not cloned and not compacted, for these would be lost", async () => {
    const source = await make();
    virsh("snapshot-create-as", source.uuid, "before");
    await assert.rejects(clone(source), /Cannot clone VM .*has snapshots \(before\)[^]*snapshot-delete/);
    await assert.rejects(compactVm(connection, source.name, store.context), /has snapshots \(before\)/);
    assert.deepEqual(bases(), []);
    virsh("snapshot-delete", source.uuid, "before");
    await clone(source);
  });

  it("may have saved its memory, paused it, or broken off its making: it is not compacted, and what to do is said", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    await clone(source);
    const before = readFileSync(topOf(source.uuid));
    const compact = () => compactVm(connection, source.name, store.context);
    virsh("start", source.uuid);
    virsh("suspend", source.uuid);
    await assert.rejects(
      compact(),
      new RegExp(`it is paused[^]*vms start ${source.name}, then vms stop ${source.name}`),
    );
    virsh("managedsave", source.uuid);
    await assert.rejects(compact(), /its memory was saved[^]*managedsave-remove/);
    virsh("managedsave-remove", source.uuid);
    const mark = (await findDomain(connection, source.uuid))?.mark ?? assert.fail();
    await setMark(connection, source.uuid, { ...mark, phase: "creating" });
    await assert.rejects(compact(), /Cannot compact VM .*it is not whole[^]*vms destroy/);
    await setMark(connection, source.uuid, mark);
    assert.ok(before.equals(readFileSync(topOf(source.uuid))));
    assert.equal(await compact(), 1);
  });

  it("may have put a file of their own on top: no file below it goes, be it empty, and it is not cloned", async () => {
    const source = await make();
    const disk = topOf(source.uuid);
    const flags = ["--disk-only", "--no-metadata", "--diskspec", `vda,file=${disk}.mine`];
    virsh("snapshot-create-as", source.uuid, ...flags);
    await assert.rejects(clone(source), new RegExp(`Cannot clone VM .*stands on ${disk}`));
    assert.ok(existsSync(disk), "the file below the user's own");
    virsh("start", source.uuid);
    virsh("destroy", source.uuid);
    await compactVm(connection, source.name, store.context);
    writeInside(`${disk}.mine`, "0", "64k", 0x22);
    const progress = recordProgress();
    const copy = await clone(source, { ...store.context, progress });
    assert.match(
      progress.notices.join("\n"),
      new RegExp(`writes to its disk vda \\(${disk}.mine\\) in .* from now on`),
    );
    await remove(source);
    virsh("start", copy.uuid);
    assert.equal(bases().length, 1, "their file is what the clone stands on");
    assert.ok(readsInside(`${disk}.mine`, "0", "64k", 0x22), "and it keeps the name that they gave it");
    rmSync(`${disk}.mine`);
    await assertWhole(store.settings, [copy.name]);
  });

  it("may delete it with a file of their own on top: that is left, and said", async () => {
    const source = await make();
    const disk = topOf(source.uuid);
    const own = `${disk}.mine`;
    virsh("snapshot-create-as", source.uuid, "--disk-only", "--no-metadata", "--diskspec", `vda,file=${own}`);
    const progress = recordProgress();
    await removeVm(connection, source.uuid, smallOwner, { ...store.context, progress }, { shutdown: 0 });
    const left = `Its disk ${own} is left, since it is not this VM's own`;
    assert.deepEqual(progress.notices, [`${left}; without ${disk}, which goes, nobody can read it`]);
    assert.ok(existsSync(own));
  });

  it("may stand on a base with files of their own, under any name: it is kept", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    const copy = await clone(source);
    const [base = ""] = bases().map((name) => join(storePaths(store.settings).base, name));
    const [lower, upper] = [join(store.settings.iso, "lower.qcow2"), join(store.settings.iso, "upper.qcow2")];
    await createOverlay(lower, base);
    await createOverlay(upper, lower);
    const name = newName();
    const xml = join(store.settings.iso, "own.xml");
    writeFileSync(
      xml,
      `<domain type='qemu'><name>${name}</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='file'><driver type='qcow2'/><source file='${upper}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`,
    );
    virsh("define", xml);
    await remove(source);
    await remove(copy);
    assert.ok(existsSync(base));
    removeDomain(virsh("domuuid", name));
    await sweepBases(connection, store.context);
    assert.equal(existsSync(base), false);
  });

  it("may call the store by another path, through a symbolic link: no base that is in use goes", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    const copy = await clone(source);
    const link = `${store.settings.images}-link`;
    symlinkSync(store.settings.images, link);
    try {
      await sweepBases(connection, { settings: { ...store.settings, images: link }, progress: silent });
      assert.equal(bases().length, 1);
      assert.ok(readsInside(topOf(copy.uuid), "0", "64k", 0x22));
    } finally {
      rmSync(link);
    }
  });

  it("may clone it only with the store that it is in: locks and files are of one store", async () => {
    const other = makeStore();
    try {
      const source = await make();
      const disk = topOf(source.uuid);
      await assert.rejects(clone(source, other.context), /is not under .*VMS_IMAGES/s);
      await assert.rejects(compactVm(connection, source.name, other.context), /is not under .*VMS_IMAGES/s);
      assert.equal(topOf(source.uuid), disk);
    } finally {
      await other.remove();
    }
  });

  it("may have a disk of their own in it, which they are told of, but not one that another domain writes to", async () => {
    const [first, second] = [await make(), await make()];
    const data = join(store.settings.iso, "data.qcow2");
    await createDisk(data, 1024 ** 2);
    for (const { uuid } of [first, second]) {
      virsh("attach-disk", uuid, data, "vdb", "--config", "--subdriver", "qcow2");
    }
    await assert.rejects(clone(first), new RegExp(`its disk vdb \\(${data}\\) is a disk of ${second.name} too`));
    virsh("detach-disk", second.uuid, "vdb", "--config");
    const context = recording(store.context);
    await clone(first, context);
    const now = (await findDomain(connection, first.uuid))?.disks[1];
    assert.match(
      context.notices.join("\n"),
      new RegExp(`its disk vdb \\(${data}\\) in ${now ?? "?"} .*goes with the VM`),
    );
    execFileSync("qemu-img", ["check", "-q", data]);
  });
});
