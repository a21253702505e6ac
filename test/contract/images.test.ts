/** Images that stand on images: real qemu-img and libvirtd, no guest. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../provider/host/command.js";
import { withLock } from "../../provider/host/lock.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { backingChain } from "../../provider/storage/chain.js";
import { findImage } from "../../provider/storage/image-store.js";
import { convertImage, createOverlay, imageInfo } from "../../provider/storage/qemu-img.js";
import { newDiskPath, newImagePath } from "../../provider/storage/store.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { createVm } from "../../provider/vm/create.js";
import { planImage } from "../../provider/vm/image-plan.js";
import { imageLock } from "../../provider/vm/install-leftovers.js";
import { compactVm, describeSharedFiles } from "../../provider/vm/shared-files.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { readsInside, topOf as diskOf, writeInside } from "../support/disk-content.js";
import { cloneSpec } from "../support/interruptible.js";
import { recording } from "../support/recorded.js";
import {
  imagePattern,
  publishOnSmallImage,
  publishSmallImage,
  smallOwner,
  smallSpec,
  writeEmptyIso,
} from "../support/small-vm.js";
import { type TestStore, connection, makeStore, virsh } from "../support/store.js";
import { vmsOn } from "../support/vms-command.js";

let counter = 0;
const newName = () => `vms-test-images-${process.pid}-${counter++}`;

describe("an image that is made on another one (real qemu-img and libvirtd)", () => {
  let store: TestStore;
  beforeEach(() => {
    store = makeStore();
  });
  afterEach(() => store.remove());

  /** A VM whose profile is made on the small image. */
  function spec(changes: Partial<VmSpec> = {}): VmSpec {
    const name = newName();
    const profile = join(store.settings.images, `${name}.sh`);
    writeFileSync(profile, `#!/bin/bash\n# vms-base: minimal\necho ${name}\n`);
    return smallSpec(store.settings, name, { profile, ...changes });
  }

  /** Makes the image of the spec as an install would, but for the guest; returns the paths of both. */
  async function publishBoth(of: VmSpec): Promise<{ base: string; top: string }> {
    const base = await publishSmallImage(store.settings, store.context);
    const top = await publishOnSmallImage(of, base, 0x22, store.context);
    return { base, top };
  }

  const records = () => readdirSync(storePaths(store.settings).images).filter((name) => name.endsWith(".json"));

  it("holds only what it has otherwise, and reads as what it was made of, what a guest has trimmed as well", async () => {
    const base = await publishSmallImage(store.settings, store.context);
    const [disk, image] = [newDiskPath(store.settings), newImagePath(store.settings)];
    await createOverlay(disk, base);
    writeInside(disk, "1M", "64k", 0x22);
    const trim = "write -q -P 0x33 2M 64k";
    for (const command of [trim, "discard 2M 64k"])
      execFileSync("qemu-io", ["-f", "qcow2", "-d", "unmap", "-c", command, disk]);
    await convertImage(disk, image, store.context, base);
    const { backing, allocation } = await imageInfo(image);
    assert.equal(backing, base);
    assert.ok(allocation < 1024 ** 2, `${allocation} bytes of 16 MiB`);
    execFileSync("qemu-img", ["compare", "-q", disk, image]);
    assert.ok(readsInside(image, "1M", "64k", 0x22) && readsInside(image, "4M", "64k", imagePattern));
  });

  it("is told of where its directory is there: else what to do is said", async () => {
    const settings = { ...store.settings, images: join(store.settings.images, "elsewhere") };
    const { status, stdout, stderr } = await vmsOn(settings)("images");
    assert.deepEqual([status, stdout], [1, ""]);
    const directory = join(settings.images, "vms", "images");
    assert.equal(
      stderr,
      `Cannot list images in "${directory}": the directory ${directory} does not exist\n  Run: vms bootstrap (it makes the directories)`,
    );
  });

  it("is told of while domains of others come and go", async () => {
    await publishBoth(spec());
    const xml = join(store.settings.images, "passing.xml");
    const names = Array.from({ length: 4 }, newName);
    let over = false;
    // Each is there for a time of its own, so that some go between being listed and being asked.
    const comeAndGo = async (name: string, index: number): Promise<void> => {
      const file = `${xml}.${name}`;
      const domain = `<domain type="qemu"><name>${name}</name><memory unit="MiB">64</memory><os><type>hvm</type></os></domain>`;
      writeFileSync(file, domain);
      while (!over) {
        await run(["virsh", "-q", "-c", connection, "define", file]);
        for (let asked = 0; asked <= index; asked++) await run(["virsh", "-q", "-c", connection, "dominfo", name]);
        await run(["virsh", "-q", "-c", connection, "undefine", name]);
      }
    };
    const passing = Promise.all(names.map(comeAndGo));
    try {
      for (let times = 0; times < 10; times++)
        assert.equal((await describeSharedFiles(connection, store.context)).length, 2);
    } finally {
      over = true;
      await passing.finally(() => {
        for (const one of virsh("list", "--all", "--name").split("\n")) if (names.includes(one)) virsh("undefine", one);
      });
    }
  });

  it("is what a VM of its profile stands on; both are in use then, and are told by whom", async () => {
    const wanted = spec();
    const { base, top } = await publishBoth(wanted);
    const unused = await describeSharedFiles(connection, store.context);
    assert.deepEqual(
      unused.map(({ path, profile, users, above }) => ({ path, profile, users, above })).sort(byPath),
      [
        { path: base, profile: "minimal", users: [], above: [top] },
        { path: top, profile: wanted.profile, users: [], above: [] },
      ].sort(byPath),
    );
    const { uuid } = await createVm(wanted, smallOwner, store.context);
    const chain = (await backingChain(diskOf(uuid))).slice(1).map(({ path }) => path);
    assert.deepEqual(chain, [top, base]);
    for (const { users } of await describeSharedFiles(connection, store.context))
      assert.deepEqual(users, [wanted.name]);
    assert.equal(records().length, 2);
  });

  it("stays below a VM whose chain is made short", async () => {
    const wanted = spec();
    const { base, top } = await publishBoth(wanted);
    const { uuid } = await createVm(wanted, smallOwner, store.context);
    for (const one of ["1", "2"]) {
      writeInside(diskOf(uuid), "0", "64k", Number(one));
      const name = `${wanted.name}-${one}`;
      await cloneVm(cloneSpec(store.settings, wanted.name, name), smallOwner, store.context);
    }
    assert.equal(await compactVm(connection, wanted.name, store.context), 2);
    const { mark } = (await findDomain(connection, wanted.name)) ?? {};
    assert.equal(mark?.frozen, undefined, "a clone that was asked for before would take its image for what was frozen");
    const chain = (await backingChain(diskOf(uuid))).slice(1).map(({ path }) => path);
    assert.deepEqual(chain, [top, base]);
    assert.ok(readsInside(diskOf(uuid), "0", "64k", 2) && readsInside(diskOf(uuid), "1M", "64k", 0x22));
    assert.equal(await compactVm(connection, wanted.name, store.context), 0);
  });

  it("is not there where what it stands on is gone, and the others are told of", async () => {
    const wanted = spec();
    const { base, top } = await publishBoth(wanted);
    const { key } = (await planImage(wanted, store.context)).layer;
    assert.equal((await findImage(store.settings, key))?.path, top);
    rmSync(base);
    assert.equal(await findImage(store.settings, key), undefined);
    const told = await describeSharedFiles(connection, store.context);
    assert.deepEqual(
      told.map(({ path }) => path),
      [top],
    );
  });

  it("waits, with another one on the same, until that is made by whoever makes it, and makes no second one", async () => {
    writeEmptyIso(store.settings);
    const limits = { timeouts: { boot: 2 } };
    const [one, other] = [spec(limits), spec(limits)];
    const listening = recording(store.context);
    const waits = () => listening.phases.filter((text) => text.startsWith("waiting: the image"));
    const base = (await planImage(one, store.context)).layer.below;
    assert.ok(base);
    const creations = await withLock(imageLock(store.settings, base.key), async () => {
      const begun = [one, other].map((vm) => createVm(vm, smallOwner, listening).catch((error: unknown) => error));
      await until(() => waits().length === 2);
      await publishSmallImage(store.settings, store.context);
      return { begun };
    });
    // There is no system in it that could boot: so far they come.
    for (const error of await Promise.all(creations.begun))
      assert.match(String(error), /Cannot create VM ".*": no login prompt on the console within 2 s/);
    assert.deepEqual(waits(), Array(2).fill("waiting: the image of the profile minimal is being made already"));
    assert.equal(records().length, 1);
    assert.deepEqual(readdirSync(storePaths(store.settings).disk), []);
    assert.equal(existsSync(imageLock(store.settings, base.key)), false);
  });

  it("fails with what failed below it, for all that are on it", async () => {
    writeEmptyIso(store.settings);
    const vms = [spec(), spec()];
    const errors = await Promise.all(
      vms.map((vm) => createVm(vm, smallOwner, store.context).then(() => "made", String)),
    );
    const [reason, other] = errors.map((error) => error.replace(/VM ".*?"/, "VM"));
    assert.match(reason ?? "", /^VmsError: Cannot create VM: the image of the profile minimal: /);
    assert.equal(other, reason);
    assert.deepEqual(records(), []);
  });
});

const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`still not so after a minute: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
