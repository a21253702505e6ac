import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkArchVm } from "../../provider/arch-vm-inputs.js";
import { hasCode } from "../../provider/errors.js";
import { withLock } from "../../provider/host/lock.js";
import { defineDomain, findDomain, setMark } from "../../provider/libvirt/domain.js";
import { domainXml, randomMac } from "../../provider/libvirt/domain-xml.js";
import { nvramTemplate } from "../../provider/libvirt/firmware.js";
import type { Mark, Owner, Phase } from "../../provider/libvirt/mark.js";
import { storePaths } from "../../provider/paths.js";
import { publishImage } from "../../provider/storage/image-store.js";
import { createDisk } from "../../provider/storage/qemu-img.js";
import { createNvram, newDiskPath, newImagePath, newNvramPath } from "../../provider/storage/store.js";
import { claimName, commandLine, withVm } from "../../provider/vm/ownership.js";
import { createVm } from "../../provider/vm/create.js";
import { imageLock, imageOwner, sweepInstalls } from "../../provider/vm/install-leftovers.js";
import { removeVm } from "../../provider/vm/remove.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { connection, makeStore, type TestStore, virsh } from "../support/store.js";

const stack: Owner = { id: "stack:0123456789abcdef", label: "the stack dev of home" };
let counter = 0;

describe("the ownership of a domain (real libvirtd)", () => {
  let store: TestStore;
  before(() => {
    store = makeStore();
  });
  after(async () => {
    await store.remove();
  });

  async function defineVm(owner: Owner, phase: Phase, more: readonly string[] = []) {
    const name = `vms-test-owner-${process.pid}-${counter++}`;
    const [disk, nvram] = [newDiskPath(store.settings), newNvramPath(store.settings)];
    const mark: Mark = { owner, phase, profile: "minimal", image: "none", files: [disk, nvram, ...more] };
    const uuid = randomUUID();
    const rest = {
      memory: 512,
      cpus: 1,
      acceleration: "tcg",
      mac: randomMac(),
      network: undefined,
      display: false,
    } as const;
    await defineDomain(connection, domainXml({ name, uuid, mark, disk, nvram, ...rest }));
    await createDisk(disk, 1024 ** 2);
    await createNvram(nvram, await nvramTemplate());
    return { name, uuid, disk, nvram, mark };
  }

  it("is told by the mark, which can be changed while the domain is there", async () => {
    const { uuid, mark } = await defineVm(commandLine, "creating");
    assert.deepEqual((await findDomain(connection, uuid))?.mark, mark);
    await setMark(connection, uuid, { ...mark, phase: "ready" });
    assert.deepEqual((await findDomain(connection, uuid))?.mark, { ...mark, phase: "ready" });
  });

  it("leaves a domain without our mark alone, and its disk, and names it", async () => {
    const vm = await defineVm(commandLine, "ready");
    virsh("metadata", vm.uuid, "--uri", "urn:pulumi-vms:vm:1", "--remove", "--config");
    const names = (error: unknown) => hasCode(error, "foreign") && (error as Error).message.includes(vm.name);
    await assert.rejects(claimName(connection, vm.name, commandLine, store.context), (error) =>
      hasCode(error, "foreign"),
    );
    await assert.rejects(removeVm(connection, vm.name, commandLine, store.context), names);
    assert.ok(existsSync(vm.disk));
    assert.ok(await findDomain(connection, vm.uuid));
  });

  it("leaves the VM of another stack alone and says whose it is", async () => {
    const vm = await defineVm(stack, "creating");
    await assert.rejects(claimName(connection, vm.name, commandLine, store.context), /the stack dev of home/);
    await assert.rejects(removeVm(connection, vm.uuid, commandLine, store.context), /the stack dev of home/);
    assert.ok(existsSync(vm.disk));
  });

  it("lets a create take a ready VM over only where it is this very resource's", async () => {
    const vm = await defineVm(stack, "ready");
    const { inputs } = checkArchVm(undefined, { name: vm.name, profile: "minimal", network: "user" });
    const spec = { ...inputs, settings: store.settings } as unknown as VmSpec;
    const other: Owner = { ...stack, label: "another resource of the same stack" };
    const taken = await createVm(spec, stack, store.context, { takeOver: true });
    assert.deepEqual(taken, { uuid: vm.uuid, takenOver: true });
    const refusal = new RegExp(`Cannot create VM "${vm.name}": there is a VM of that name already`);
    await assert.rejects(createVm(spec, other, store.context, { takeOver: true }), refusal);
    await assert.rejects(createVm(spec, stack, store.context), refusal);
    assert.ok(existsSync(vm.disk));
    assert.equal((await findDomain(connection, vm.uuid))?.mark?.phase, "ready");
  });

  for (const phase of ["creating", "deleting"] as const) {
    it(`removes what a run that was interrupted while ${phase} left, its files too`, async () => {
      const vm = await defineVm(stack, phase);
      assert.equal(await claimName(connection, vm.name, stack, store.context), undefined);
      assert.equal(await findDomain(connection, vm.uuid), undefined);
      assert.equal(existsSync(vm.disk), false);
      assert.equal(existsSync(vm.nvram), false);
    });
  }

  it("deletes a VM that runs, with its files and its lock free again", async () => {
    const vm = await defineVm(stack, "ready");
    virsh("start", vm.uuid);
    assert.equal(await removeVm(connection, vm.uuid, stack, store.context, { shutdown: 0 }), true);
    assert.equal(await findDomain(connection, vm.uuid), undefined);
    assert.equal(existsSync(vm.disk), false);
    assert.equal(await removeVm(connection, vm.uuid, stack, store.context), false, "a second time there is nothing");
  });

  it("never removes a published image, whatever a mark lists", async () => {
    const image = newImagePath(store.settings);
    await createDisk(image, 1024 ** 2);
    const recipe = { iso: "i", mirror: "", profile: "minimal", packages: [], guest: "g", capacity: 1 };
    await publishImage(store.settings, "key", recipe, image);
    const vm = await defineVm(stack, "ready", [image]);
    await removeVm(connection, vm.uuid, stack, store.context);
    assert.ok(existsSync(image));
    assert.equal(existsSync(vm.disk), false);
  });

  for (const [where, path] of [
    ["outside of our directories", () => join(store.settings.iso, "precious.qcow2")],
    ["behind a path that leads out of them", () => `${storePaths(store.settings).disk}/../../../iso/precious.qcow2`],
  ] as const) {
    it(`refuses to delete a VM whose mark lists a file ${where}: it is of another store, or not ours`, async () => {
      writeFileSync(join(store.settings.iso, "precious.qcow2"), "precious");
      const vm = await defineVm(stack, "ready", [path()]);
      const message = /precious\.qcow2 is not under .*; nothing was changed[^]*VMS_IMAGES/;
      await assert.rejects(removeVm(connection, vm.uuid, stack, store.context), message);
      for (const file of [path(), vm.disk, vm.nvram]) assert.ok(existsSync(file), file);
      assert.equal((await findDomain(connection, vm.uuid))?.mark?.phase, "ready");
    });
  }

  it("refuses to delete a VM of another store, also where nothing is mounted there at this moment", async () => {
    const path = join(store.settings.iso, "unmounted", "vms", "disk", "0.qcow2");
    for (const phase of ["ready", "creating"] as const) {
      const vm = await defineVm(stack, phase, [path]);
      const message = new RegExp(`${path} is not under .*; nothing was changed[^]*VMS_IMAGES`);
      await assert.rejects(removeVm(connection, vm.uuid, stack, store.context, { leftovers: true }), message);
      assert.equal((await findDomain(connection, vm.uuid))?.mark?.phase, phase);
    }
  });

  it("is found by its own name, not by the number that virsh gives to what runs", async () => {
    const vm = await defineVm(commandLine, "ready");
    virsh("start", vm.uuid);
    const number = virsh("domid", vm.uuid);
    assert.equal(await findDomain(connection, number), undefined);
    assert.equal(await removeVm(connection, number, commandLine, store.context), false);
    assert.ok(existsSync(vm.disk));
  });

  it("lets anybody remove what an interrupted run left, but only that", async () => {
    const [half, whole] = [await defineVm(stack, "creating"), await defineVm(stack, "ready")];
    assert.equal(await removeVm(connection, half.name, commandLine, store.context, { leftovers: true }), true);
    assert.equal(existsSync(half.disk), false);
    await assert.rejects(
      removeVm(connection, whole.name, commandLine, store.context, { leftovers: true }),
      /the stack dev of home/,
    );
    assert.ok(existsSync(whole.disk));
  });

  it("of an install that nobody works on any more is ended by whoever makes or removes a VM next", async () => {
    const install = await defineVm(imageOwner, "installing");
    virsh("start", install.uuid);
    await withLock(imageLock(store.settings, "none"), () => sweepInstalls(connection, store.context));
    assert.ok(await findDomain(connection, install.uuid), "while somebody holds its lock it is left alone");
    await sweepInstalls(connection, store.context);
    assert.equal(await findDomain(connection, install.uuid), undefined);
    assert.equal(existsSync(install.disk), false);
  });

  it("refuses to work on a VM that another process works on", async () => {
    const vm = await defineVm(stack, "ready");
    await withLock(join(storePaths(store.settings).lock, `vm-${vm.name}`), async () => {
      await assert.rejects(removeVm(connection, vm.uuid, stack, store.context), (error) => hasCode(error, "busy"));
      await assert.rejects(
        withVm(vm.name, store.context, () => Promise.resolve()),
        /another process is working on it/,
      );
    });
    assert.ok(existsSync(vm.disk));
  });
});
