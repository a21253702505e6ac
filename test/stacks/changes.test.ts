/** What a change of each property means, by a real pulumi, for a VM and a clone of it that need no guest; e2e/changes has what the guest does. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { findDomain } from "../../provider/libvirt/domain.js";
import { imageInfo } from "../../provider/storage/qemu-img.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import type { Stack } from "../support/project.js";
import { openSmallScene, requireDomain, type SmallScene, smallClone, smallVm } from "../support/small-scene.js";
import { imagePattern, isoPath } from "../support/small-vm.js";
import { connection, virsh } from "../support/store.js";
import { tellInOrder } from "../support/story.js";

describe("changes of a VM and of its clone (real pulumi, no guest)", () => {
  tellInOrder();
  let scene: SmallScene;
  let stack: Stack;
  let uuids: Record<"work" | "copy", string>;

  const named = (name: string): string => `vms-test-changes-${process.pid}-${name}`;
  const work = (more = "") => `const work = ${smallVm(scene, "work", named("work"), more)};`;
  const copy = (more = "", source = "work", name = "copy") =>
    `const copy = ${smallClone("copy", named(name), source, more)};`;
  const write = (...texts: string[]): void => stack.write(texts.join("\n"));
  const succeed = async (command: "up" | "preview" | "destroy", ...args: string[]): Promise<string> => {
    const { status, output } = await stack[command](...args);
    assert.equal(status, 0, output);
    return output;
  };
  const uuidOf = async (name: string): Promise<string> => (await requireDomain(named(name))).uuid;
  const gib = async (uuid: string): Promise<number> => (await imageInfo(topOf(uuid))).capacity / 1024 ** 3;
  /** What they have been changed to in place. */
  let changed: readonly [string, string];

  before(async () => {
    scene = await openSmallScene();
    stack = await scene.stack("changes");
    write(work(), copy());
    await succeed("up");
    uuids = { work: await uuidOf("work"), copy: await uuidOf("copy") };
    for (const uuid of Object.values(uuids)) writeInside(topOf(uuid), "0", "64k", 0x22);
  });

  after(async () => {
    await succeed("destroy");
  });

  it("are in place, or recorded only, as the preview says", async () => {
    const { images } = scene.store.settings;
    const [shared, iso] = ["shared", "other.iso"].map((name) => join(images, name));
    mkdirSync(shared ?? "");
    copyFileSync(isoPath(scene.store.settings), iso ?? "");
    const text = JSON.stringify;
    const both = `memory: 640, cpus: 2, autostart: true, disk: "9G", timeouts: { boot: 99, shutdown: 1 }`;
    const device = `network: "default", acceleration: "tcg", shares: [{ source: ${text(shared)}, target: "/mnt/a" }]`;
    const install = `iso: ${text(iso)}, mirror: "https://mirror.example/$repo/os/$arch", pacmanCache: false, fresh: true`;
    // What only an install looks at is not for the VMs that are made below.
    changed = [`${both}, ${device}`, both];
    write(work(`${changed[0]}, ${install}`), copy(changed[1]));
    const said = await succeed("preview", "--diff");
    assert.match(said, /~ 2 to update/);
    assert.equal(/to replace/.test(said), false, said);
    const inPlace = "in place, (at the next boot|live if it runs)";
    for (const [line, times] of [
      [`memory (512|not set) -> 640: ${inPlace}`, 2],
      [`cpus (1|not set) -> 2: ${inPlace}`, 2],
      ["autostart false -> true: in place", 2],
      ["disk (8G|not set) -> 9G: in place; the root file system grows (at the next boot|live if it runs)", 2],
      ["timeouts .*: recorded", 2],
      [`network user -> default: ${inPlace}`, 1],
      ["acceleration auto -> tcg: in place, at the next boot", 1],
      ["shares .*: in place, at the next boot", 1],
      ["iso .*: recorded; it matters at an install only", 1],
      ["mirror .*: recorded; it matters at an install only", 1],
      ["pacmanCache .*: recorded; it matters at an install only", 1],
      ["fresh .*: recorded", 1],
    ] as const)
      assert.equal(said.match(new RegExp(line, "g"))?.length, times, `${line} in: ${said}`);
    await succeed("up");
    for (const uuid of Object.values(uuids)) {
      const { memory, cpus } = await requireDomain(uuid);
      assert.deepEqual([memory, cpus, await gib(uuid)], [640, 2, 9]);
      assert.match(virsh("dominfo", uuid), /Autostart:\s+enable/);
      assert.equal(virsh("domstate", uuid), "shut off", "it stays as it is");
      assert.ok(readsInside(topOf(uuid), "0", "64k", 0x22));
    }
    const xml = virsh("dumpxml", "--inactive", uuids.work);
    assert.match(xml, /<source network='default'/);
    assert.ok(xml.includes(`<source dir='${shared ?? ""}'/>`), xml);
    await succeed("preview", "--expect-no-changes");
  });

  it("of what a VM is make a new one, which says how the old one ended; its clone stays, and is not looked at twice", async () => {
    // There is nobody in it who would power off.
    virsh("start", uuids.work);
    write(work(`${changed[0]}, ...{ user: "ada" }`), copy(changed[1]));
    const said = await succeed("preview", "--diff");
    assert.match(said, /user .* -> ada: a new VM is made, the data of the old one is lost/);
    assert.match(said, /\+-1 to replace/);
    const output = await succeed("up");
    assert.match(output, /\+-1 replaced/);
    assert.match(output, /it did not power off within 1 s and was forced off/);
    assert.equal(await findDomain(connection, uuids.work), undefined);
    uuids.work = await uuidOf("work");
    assert.equal(await uuidOf("copy"), uuids.copy);
    assert.ok(readsInside(topOf(uuids.copy), "0", "64k", 0x22), "what it has of the one that is gone");
    await succeed("preview", "--expect-no-changes");
  });

  it("of a clone's source are none where its name is given instead, and make a new clone where it is another VM", async () => {
    const name = JSON.stringify(named("work"));
    write(work(`${changed[0]}, ...{ user: "ada" }`), copy(changed[1], name));
    await succeed("preview", "--expect-no-changes");
    const other = `const other = ${smallVm(scene, "other", named("other"))};`;
    write(work(`${changed[0]}, ...{ user: "ada" }`), other, copy(changed[1], "other"));
    const said = await succeed("preview", "--diff");
    assert.match(said, /source .* -> (.*other|not known yet): /);
    await succeed("up");
    assert.equal(await findDomain(connection, uuids.copy), undefined);
    uuids.copy = await uuidOf("copy");
    assert.ok(readsInside(topOf(uuids.copy), "0", "64k", imagePattern), "it has what its new source has");
  });

  it("of a name make a new clone, the old one first", async () => {
    const other = `const other = ${smallVm(scene, "other", named("other"))};`;
    write(work(`${changed[0]}, ...{ user: "ada" }`), other, copy(changed[1], "other", "renamed"));
    const said = await succeed("preview", "--diff");
    assert.match(said, new RegExp(`name ${named("copy")} -> ${named("renamed")}: a new VM is made`));
    await succeed("up");
    assert.equal(await findDomain(connection, named("copy")), undefined);
    assert.notEqual(await uuidOf("renamed"), uuids.copy);
  });
});
