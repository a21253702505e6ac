/** That a clone has what its source had, to the byte, whatever was done to the source before. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { imageInfo, resizeDisk } from "../../provider/storage/qemu-img.js";
import { byHand, type Vm } from "../support/by-hand.js";
import { topOf, writeInside } from "../support/disk-content.js";
import { recording } from "../support/recorded.js";
import { makeSmallStore } from "../support/small-vm.js";
import { connection, type TestStore, virsh } from "../support/store.js";
import { outcomesOf, vmsOn } from "../support/vms-command.js";
import { assertWhole, storeDomains } from "../support/whole-store.js";

const MiB = 1024 ** 2;

describe("what is in a clone (real libvirtd, no guest)", () => {
  let store: TestStore;
  beforeEach(async () => {
    store = await makeSmallStore();
  });
  afterEach(() => store.remove());
  const { make, clone, remove, bases } = byHand(() => store);

  const nvramOf = async ({ uuid }: Vm): Promise<string> => (await findDomain(connection, uuid))?.nvram ?? "";
  const baseFiles = () => bases().map((name) => readFileSync(join(storePaths(store.settings).base, name)));

  /** Throws where qemu-img finds a difference between what their guests would read. */
  function compare(one: Vm, other: Vm): void {
    execFileSync("qemu-img", ["compare", "-f", "qcow2", "-F", "qcow2", topOf(one.uuid), topOf(other.uuid)]);
  }

  it("is what was on its source's disk and in its UEFI variables, and a frozen file stays as it is", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "1M", 0x22);
    const variables = await nvramOf(source);
    // An entry of the guest's own, as far as a file can tell.
    writeFileSync(variables, Buffer.concat([readFileSync(variables).subarray(0, -4), Buffer.from("boot")]));
    const copy = await clone(source);
    compare(source, copy);
    assert.notEqual(await nvramOf(copy), variables);
    assert.ok(readFileSync(await nvramOf(copy)).equals(readFileSync(variables)));
    const frozen = baseFiles();
    for (const [vm, pattern] of [
      [source, 0x33],
      [copy, 0x44],
    ] as const) {
      writeInside(topOf(vm.uuid), "512k", "1M", pattern);
      virsh("start", vm.uuid);
      virsh("destroy", vm.uuid);
    }
    assert.throws(() => {
      compare(source, copy);
    });
    assert.deepEqual(baseFiles(), frozen);
  });

  it("is all of a source that was made larger since it was cloned before", async () => {
    const source = await make();
    await clone(source);
    await resizeDisk(topOf(source.uuid), 24 * MiB);
    const empty = await clone(source);
    writeInside(topOf(source.uuid), "20M", "64k", 0x22);
    const full = await clone(source);
    for (const vm of [empty, full]) assert.equal((await imageInfo(topOf(vm.uuid))).capacity, 24 * MiB);
    compare(source, full);
    await remove(source);
    const names = (await storeDomains(store.settings)).map(({ name }) => name);
    await assertWhole(store.settings, names);
    assert.equal(names.length, 3);
  });

  it("is as after a power cut where no guest agent quiesced a source that runs, and that is said", async () => {
    const source = await make();
    virsh("start", source.uuid);
    const running = recording(store.context);
    await clone(source, running);
    assert.match(running.notices.join("\n"), /guest agent does not answer, .* the clone starts as after a power cut/);
    virsh("destroy", source.uuid);
    const off = recording(store.context);
    await clone(source, off);
    assert.deepEqual(off.notices, [], "of one that is off there is nothing to quiesce");
  });

  it("stands on a base that vms images shows with its users, and on none when its chain was shortened", async () => {
    const source = await make();
    writeInside(topOf(source.uuid), "0", "1M", 0x22);
    const copy = await clone(source);
    const { done } = outcomesOf(vmsOn(store.settings));
    const [base = ""] = bases();
    const line = (await done("images")).split("\n").find((one) => one.startsWith("base")) ?? "";
    assert.match(line, /^base +- +[\d.]+ ?[KM]i?B? /);
    for (const vm of [source, copy]) assert.ok(line.includes(vm.name), line);
    const shown = JSON.parse(await done("images", "--json")) as { kind: string; path: string; users: string[] }[];
    const users = shown.find(({ kind, path }) => kind === "base" && path.endsWith(base))?.users;
    assert.deepEqual(users?.sort(), [source.name, copy.name].sort());
    const said = /a frozen disk was in between/;
    assert.match(await done("images", "--compact", copy.name), said);
    assert.match(await done("images", "--compact", source.name), said);
    assert.match(await done("images", "--compact", source.name), /there is nothing to shorten/);
    assert.deepEqual(bases(), []);
    compare(source, copy);
  });
});
