import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { domainXml, randomMac } from "../../provider/libvirt/domain-xml.js";
import { defineDomain, dumpDomain, findDomain } from "../../provider/libvirt/domain.js";
import { nvramTemplate } from "../../provider/libvirt/firmware.js";
import type { Owner } from "../../provider/libvirt/mark.js";
import { storePaths } from "../../provider/paths.js";
import { backingChain } from "../../provider/storage/chain.js";
import { createDisk, imageInfo } from "../../provider/storage/qemu-img.js";
import { createNvram, newDiskPath, newNvramPath } from "../../provider/storage/store.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import type { CloneSpec } from "../../provider/vm/spec.js";
import { readsInside, requireWhole, topOf, writeInside } from "../support/disk-content.js";
import { connection, makeStore, type TestStore, virsh } from "../support/store.js";

const stack: Owner = { id: "stack:0123456789abcdef", label: "the stack dev of home" };
let counter = 0;
const newName = (): string => `vms-test-clone-${process.pid}-${counter++}`;

describe("a clone (real libvirtd, no guest)", () => {
  let store: TestStore;
  beforeEach(() => {
    store = makeStore();
  });
  afterEach(async () => {
    await store.remove();
  });

  interface Vm {
    readonly name: string;
    readonly uuid: string;
  }

  async function makeSource(edit: (xml: string) => string = (xml) => xml): Promise<Vm> {
    const [name, uuid] = [newName(), randomUUID()];
    const [disk, nvram] = [newDiskPath(store.settings), newNvramPath(store.settings)];
    await createDisk(disk, 64 * 1024 ** 2);
    await createNvram(nvram, await nvramTemplate());
    const mark = {
      owner: commandLine,
      phase: "ready",
      profile: "minimal",
      image: "none",
      files: [disk, nvram],
    } as const;
    const rest = {
      memory: 128,
      cpus: 1,
      acceleration: "tcg",
      mac: randomMac(),
      network: undefined,
      display: false,
    } as const;
    await defineDomain(connection, edit(domainXml({ name, uuid, mark, disk, nvram, ...rest })));
    return { name, uuid };
  }

  async function clone(source: string, changes: Partial<CloneSpec> = {}): Promise<Vm> {
    const name = newName();
    const rest = { autostart: false, running: false, connection, timeouts: {}, settings: store.settings };
    const { uuid } = await cloneVm({ name, source, ...rest, ...changes }, commandLine, store.context);
    return { name, uuid };
  }

  const bases = (): string[] => readdirSync(storePaths(store.settings).base);
  const left = (): string[] => {
    const { disk, base, nvram } = storePaths(store.settings);
    return [disk, base, nvram].flatMap((directory) => readdirSync(directory));
  };
  const remove = (vm: Vm) => removeVm(connection, vm.uuid, commandLine, store.context, { shutdown: 0 });

  it("reads what its source had, and neither sees what the other writes from then on", async () => {
    const source = await makeSource();
    writeInside(topOf(source.uuid), "0", "1M", 0x11);
    const copy = await clone(source.name);
    assert.ok(readsInside(topOf(copy.uuid), "0", "1M", 0x11));
    writeInside(topOf(copy.uuid), "0", "64k", 0x22);
    writeInside(topOf(source.uuid), "64k", "64k", 0x33);
    assert.ok(readsInside(topOf(copy.uuid), "64k", "64k", 0x11));
    assert.ok(readsInside(topOf(source.uuid), "0", "64k", 0x11));
    for (const vm of [source, copy]) for (const { path } of await backingChain(topOf(vm.uuid))) requireWhole(path);
    assert.equal(
      statSync(join(storePaths(store.settings).base, bases()[0] ?? "")).mode & 0o222,
      0,
      "a base has no write bits",
    );
  });

  it("of a source that runs leaves it running, and both start again from their own files", async () => {
    const source = await makeSource();
    writeInside(topOf(source.uuid), "0", "1M", 0x11);
    virsh("start", source.uuid);
    const copy = await clone(source.name);
    assert.equal(virsh("domstate", source.uuid), "running");
    assert.ok(readsInside(topOf(copy.uuid), "0", "1M", 0x11));
    virsh("start", copy.uuid);
    for (const vm of [source, copy]) virsh("destroy", vm.uuid);
    assert.equal(
      (await dumpDomain(connection, source.uuid)).includes("<backingStore"),
      false,
      "no chain is remembered",
    );
    virsh("start", source.uuid);
    virsh("destroy", source.uuid);
    for (const vm of [source, copy]) for (const { path } of await backingChain(topOf(vm.uuid))) requireWhole(path);
    const late = await clone(source.name);
    const tops = [source, copy, late].map(({ uuid }) => basename(topOf(uuid)));
    assert.deepEqual(
      readdirSync(storePaths(store.settings).disk).sort(),
      tops.sort(),
      "no frozen file has its old name",
    );
  });

  it("stands on the base of the last one where the source has written nothing since: ten in a row make one", async () => {
    const source = await makeSource();
    writeInside(topOf(source.uuid), "0", "64k", 0x11);
    for (let index = 0; index < 10; index++) await clone(source.name);
    assert.equal(bases().length, 1);
    assert.equal((await backingChain(topOf(source.uuid))).length, 2);
    writeInside(topOf(source.uuid), "0", "64k", 0x22);
    const late = await clone(source.name);
    assert.equal(bases().length, 2);
    assert.ok(readsInside(topOf(late.uuid), "0", "64k", 0x22));
  });

  it("of a source that runs shares a freeze with those that were asked for meanwhile", async () => {
    const source = await makeSource();
    virsh("start", source.uuid);
    // No agent can say that nothing was written: each would freeze for itself, one after the other.
    await Promise.all(Array.from({ length: 6 }, () => clone(source.name)));
    assert.ok(bases().length <= 2, `${bases().length} bases of 6 requests`);
  });

  it("of a clone works, lives on when its sources are deleted, and the last one takes the bases with it", async () => {
    const source = await makeSource();
    writeInside(topOf(source.uuid), "0", "64k", 0x11);
    const child = await clone(source.name);
    writeInside(topOf(child.uuid), "64k", "64k", 0x22);
    const grandchild = await clone(child.name);
    await remove(source);
    await remove(child);
    assert.equal(bases().length, 2);
    const disk = topOf(grandchild.uuid);
    assert.ok(readsInside(disk, "0", "64k", 0x11) && readsInside(disk, "64k", "64k", 0x22));
    virsh("start", grandchild.uuid);
    await remove(grandchild);
    assert.deepEqual(left(), []);
  });

  it("that has lost its disk by hand keeps the base that it stood on, until it is deleted itself", async () => {
    const source = await makeSource();
    writeInside(topOf(source.uuid), "0", "64k", 0x11);
    const copy = await clone(source.name);
    rmSync(topOf(copy.uuid));
    await remove(source);
    assert.equal(bases().length, 1, "all that is left of its data");
    await remove(copy);
    assert.deepEqual(left(), []);
  });

  it("differs in memory, cpus and a larger disk where that is asked for, and may not be smaller", async () => {
    const source = await makeSource();
    const copy = await clone(source.name, { memory: 192, cpus: 2, disk: "96M" });
    const domain = await findDomain(connection, copy.uuid);
    assert.deepEqual([domain?.memory, domain?.cpus], [192, 2]);
    assert.equal((await imageInfo(topOf(copy.uuid))).capacity, 96 * 1024 ** 2);
    const own = () =>
      virsh("list", "--all", "--name")
        .split("\n")
        .filter((name) => name.includes(`-${process.pid}-`));
    const before = own();
    await assert.rejects(
      clone(source.name, { disk: "32M" }),
      /Cannot clone VM .*a disk of 32M is smaller than its source's/,
    );
    assert.deepEqual(own(), before);
  });

  it("has a second disk of its own, of a file that lies elsewhere too, and shares a medium", async () => {
    const elsewhere = join(store.settings.iso, "data.qcow2");
    const medium = join(store.settings.iso, "some.iso");
    for (const file of [elsewhere, medium]) await createDisk(file, 1024 ** 2);
    writeInside(elsewhere, "0", "64k", 0x44);
    const source = await makeSource((xml) =>
      xml.replace(
        "</disk>",
        `</disk><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${elsewhere}'/><target dev='vdb' bus='virtio'/></disk>
         <disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='${medium}'/><target dev='sda' bus='sata'/><readonly/></disk>`,
      ),
    );
    const copy = await clone(source.name);
    const files = (await findDomain(connection, copy.uuid))?.disks ?? [];
    assert.equal(files.length, 3);
    assert.equal(files[2], medium);
    assert.ok(readsInside(files[1] ?? "", "0", "64k", 0x44));
    writeInside(files[1] ?? "", "0", "64k", 0x55);
    const [, second = ""] = (await findDomain(connection, source.uuid))?.disks ?? [];
    assert.ok(readsInside(second, "0", "64k", 0x44));
    await remove(copy);
    await remove(source);
    assert.ok(existsSync(elsewhere) && existsSync(medium), "what is the user's own stays");
    assert.ok(readsInside(elsewhere, "0", "64k", 0x44));
  });

  it("is refused of what is no VM of ours, or not ready, or not there, by name and before anything changes", async () => {
    const source = await makeSource();
    await assert.rejects(clone("nonesuch"), /its source "nonesuch" does not exist/);
    virsh("metadata", source.uuid, "--uri", "urn:pulumi-vms:vm:1", "--remove", "--config");
    await assert.rejects(clone(source.name), new RegExp(`its source "${source.name}" is not a VM of ours`));
    assert.deepEqual(bases(), []);
  });

  it("is refused of a raw disk and of a managed save, by name", async () => {
    const raw = await makeSource((xml) => xml.replace("type='qcow2'", "type='raw'"));
    await assert.rejects(clone(raw.name), /its disk vda \(.*\) is raw, not qcow2/);
    const saved = await makeSource();
    virsh("start", saved.uuid);
    virsh("managedsave", saved.uuid);
    await assert.rejects(clone(saved.name), /its memory was saved/);
    assert.deepEqual(bases(), []);
  });

  it("is refused where a file of the source's chain is missing or damaged, and the source is left as it is", async () => {
    const source = await makeSource();
    writeInside(topOf(source.uuid), "0", "64k", 0x11);
    await remove(await clone(source.name));
    const base = join(storePaths(store.settings).base, bases()[0] ?? "");
    const before = await dumpDomain(connection, source.uuid);
    chmodSync(base, 0o660);
    // In the first entry of the table of clusters, a bit of the offset.
    flipBit(base, Number(readFileSync(base).readBigUInt64BE(40)) + 5);
    await assert.rejects(clone(source.name), new RegExp(`Cannot clone VM .*${base}.*damaged`, "s"));
    rmSync(base);
    await assert.rejects(clone(source.name), new RegExp(`Cannot clone VM .*${base}.*no such file`, "s"));
    assert.equal(await dumpDomain(connection, source.uuid), before);
  });

  it("may be of a VM that belongs to somebody else, which is left theirs", async () => {
    const source = await makeSource();
    const name = newName();
    const rest = { autostart: false, running: false, connection, timeouts: {}, settings: store.settings };
    const { uuid } = await cloneVm({ name, source: source.name, ...rest }, stack, store.context);
    assert.equal((await findDomain(connection, uuid))?.mark?.owner.id, stack.id);
    assert.equal((await findDomain(connection, source.uuid))?.mark?.owner.id, "cli");
    await assert.rejects(removeVm(connection, uuid, commandLine, store.context), /belongs to the stack dev of home/);
  });
});

function flipBit(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 1, offset);
  writeFileSync(path, bytes);
}
