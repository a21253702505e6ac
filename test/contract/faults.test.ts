/** Faults of the host around clones, each caused: a full disk, a reboot, damaged files, locks of killed processes. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeOrDiscard } from "../../cli/half-made.js";
import { showProgress } from "../../cli/terminal-progress.js";
import { tryLock } from "../../provider/host/lock.js";
import { findDomain, setMark } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { createVm } from "../../provider/vm/create.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import { runApart } from "../support/interrupt.js";
import { cloneSpec, interruptible } from "../support/interruptible.js";
import { recordProgress } from "../support/recorded.js";
import { makeSmallStore, publishSmallImage, smallOwner, smallSpec } from "../support/small-vm.js";
import { type TestStore, connection, makeStore, virsh } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";

let counter = 0;
const newName = () => `vms-test-fault-${process.pid}-${counter++}`;
const KiB = 1024;

async function makeSource(
  { settings, context }: TestStore,
  owner = smallOwner,
): Promise<{ name: string; uuid: string }> {
  const name = newName();
  const { uuid } = await createVm(smallSpec(settings, name), owner, context);
  writeInside(topOf(uuid), "0", "64k", 0x22);
  return { name, uuid };
}

function requireContent(uuid: string): void {
  virsh("start", uuid);
  assert.ok(readsInside(topOf(uuid), "0", "64k", 0x22));
  virsh("destroy", uuid);
}

describe("a clone on a host with a fault (real libvirtd, no guest)", () => {
  let store: TestStore;
  before(async () => {
    store = await makeSmallStore();
  });
  after(() => store.remove());
  const clone = async (source: string) => {
    const name = newName();
    return { name, ...(await cloneVm(cloneSpec(store.settings, source, name), smallOwner, store.context)) };
  };
  const remove = (uuid: string) => removeVm(connection, uuid, smallOwner, store.context, { shutdown: 0 });

  it("whose source has a damaged or missing top file is refused with its path; the source's other clones go on", async () => {
    const source = await makeSource(store);
    const other = await clone(source.name);
    writeInside(topOf(source.uuid), "64k", "64k", 0x33);
    const top = topOf(source.uuid);
    const good = readFileSync(top);
    // In the first entry of the table of clusters, a bit of the offset.
    const at = Number(good.readBigUInt64BE(40)) + 5;
    const bad = Buffer.from(good);
    bad.writeUInt8(bad.readUInt8(at) ^ 1, at);
    writeFileSync(top, bad);
    await assert.rejects(clone(source.name), new RegExp(`Cannot clone VM .*${top}.*damaged`, "s"));
    writeFileSync(top, good);
    renameSync(top, `${top}.away`);
    await assert.rejects(clone(source.name), new RegExp(`Cannot clone VM .*${top}.*no such file`, "s"));
    const [second] = [await clone(other.name)];
    for (const { uuid } of [other, second]) requireContent(uuid);
    renameSync(`${top}.away`, top);
    const third = await clone(source.name);
    await assertWhole(
      store.settings,
      [source, other, second, third].map(({ name }) => name),
    );
    for (const { uuid } of [third, second, other, source]) await remove(uuid);
  });

  it("goes on at once where the locks were held by a process that was killed", async () => {
    const source = await makeSource(store);
    const name = newName();
    const locks = ["store", `vm-${source.name}`, `vm-${name}`].map((one) => join(storePaths(store.settings).lock, one));
    const hold = ["sh", "-c", "echo held; exec sleep 1000"];
    const holders = locks.map((path) => spawn("flock", ["--no-fork", path, ...hold]));
    for (const holder of holders) await once(holder.stdout, "data");
    for (const path of locks) assert.equal(await tryLock(path), undefined);
    for (const holder of holders) {
      holder.kill("SIGKILL");
      await once(holder, "exit");
    }
    const progress = recordProgress();
    await cloneVm(cloneSpec(store.settings, source.name, name), smallOwner, { ...store.context, progress });
    assert.deepEqual(
      progress.phases.filter((text) => /waiting/.test(text)),
      [],
    );
    await assertWhole(store.settings, [source.name, name]);
    for (const one of [name, source.name]) await remove(one);
  });

  it("that was under way when the host went down comes to its end after it is up again, and its VMs start", async () => {
    const operation = interruptible.find(({ title }) => title === "clone of a VM that runs");
    assert.ok(operation);
    for (const last of ["freeze: switched", "clone: overlay made"] as const) {
      const name = newName();
      const subject = await operation.prepare(store.settings, name, store.context);
      const { killed } = await runApart(operation, subject, { step: last, time: 1 });
      assert.ok(killed);
      // What a power cut leaves: nothing runs, the files of locks lie there, and the clock of the mark is another boot's.
      virsh("destroy", name);
      for (const lock of ["slot-0", "store"]) writeFileSync(join(storePaths(store.settings).lock, lock), "");
      const mark = (await findDomain(connection, subject.id))?.mark;
      assert.ok(mark);
      const frozen = "00000000-0000-4000-8000-000000000000 999999999999999999";
      await setMark(connection, subject.id, { ...mark, frozen });
      virsh("start", name);
      virsh("destroy", name);
      await operation.run(subject, store.context);
      await operation.verify(subject, store.context);
      requireContent(name);
      requireContent(`${name}-clone`);
      for (const one of [`${name}-clone`, name]) await remove(one);
    }
  });
});

describe("a clone on a disk that is full (real libvirtd, no guest)", () => {
  let store: TestStore;
  before(async () => {
    store = makeStore(({ images }) => {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m,mode=0711", "none", images]);
    });
    await publishSmallImage(store.settings, store.context);
  });
  after(async () => {
    await store.remove(({ images }) => execFileSync("umount", [images]));
  });

  // The room that is left decides what fails: the source's new file, the clone's, or the copy of its UEFI variables.
  for (const [room, place] of [
    [0, "disk"],
    [300, "disk"],
    [700, "nvram"],
  ] as const) {
    it(`which leaves ${room} KiB says so; nothing of the clone is left, and the source starts and reads as before`, async () => {
      const source = await makeSource(store, commandLine);
      const filler = join(store.settings.images, "filler");
      const { bavail, bsize } = statfsSync(store.settings.images);
      execFileSync("fallocate", ["--length", String(bavail * bsize - room * KiB), filler]);
      const name = newName();
      const spec = cloneSpec(store.settings, source.name, name);
      let said = "";
      const terminal = { isTTY: true, columns: 80, write: (text: string) => (said += text) };
      const context = { ...store.context, progress: showProgress(terminal) };
      try {
        await assert.rejects(
          makeOrDiscard(name, connection, context, () => cloneVm(spec, commandLine, context)),
          new RegExp(`Cannot clone VM "${name}": .*no space left in \\S+/${place}: `),
        );
        assert.match(said, /\.\.\. failed \(.*removing\.\.\. done \(/s);
        assert.equal(await findDomain(connection, name), undefined);
        await assertWhole(store.settings, [source.name]);
        requireContent(source.uuid);
      } finally {
        rmSync(filler);
      }
      await cloneVm(spec, commandLine, store.context);
      await assertWhole(store.settings, [source.name, name]);
      requireContent(name);
      for (const one of [name, source.name]) {
        await removeVm(connection, one, commandLine, store.context, { shutdown: 0 });
      }
      await assertWhole(store.settings, []);
    });
  }
});
