import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { archVm } from "../../provider/arch-vm.js";
import { attempt } from "../../provider/host/command.js";
import { findDomain, setMark } from "../../provider/libvirt/domain.js";
import { packageFiles } from "../../provider/paths.js";
import { basePathOf } from "../../provider/storage/bases.js";
import { backingChain } from "../../provider/storage/chain.js";
import { createDisk } from "../../provider/storage/qemu-img.js";
import { newDiskPath } from "../../provider/storage/store.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { removeVm } from "../../provider/vm/remove.js";
import { converge, makeWhole } from "../../provider/vm-operations.js";
import type { Values } from "../../provider/vm-kind.js";
import { read } from "../../provider/vm-read.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import { inputsOf, makeSmallStore, smallOwner, smallSpec } from "../support/small-vm.js";
import { type TestStore, connection, virsh } from "../support/store.js";

let counter = 0;

describe("what is true of a VM (real libvirtd, no guest)", () => {
  let store: TestStore;
  let name: string;
  let id: string;
  let state: Values;
  let disk: string;

  before(async () => {
    store = await makeSmallStore();
  });
  beforeEach(make);
  after(() => store.remove());

  async function make(): Promise<void> {
    name = `vms-test-read-${process.pid}-${counter++}`;
    const made = await makeWhole(archVm, inputsOf(smallSpec(store.settings, name)), smallOwner, store.context);
    ({ id, outs: state } = made);
    disk = topOf(id);
    writeInside(disk, "0", "64k", 0x22);
  }

  const phase = async () => (await read(id, state)).props?.["phase"];
  /** Its update where it was found without its disk. */
  const remake = () =>
    converge(archVm, id, { ...state, phase: "lost" }, inputsOf(smallSpec(store.settings, name)), store.context);

  async function refused(message: RegExp): Promise<void> {
    await assert.rejects(read(id, state), message);
    // It may have been without its disk when it was looked at, and this is what an update finds now.
    await assert.rejects(remake(), message);
    assert.equal((await findDomain(connection, id))?.mark?.phase, "ready");
  }

  it("is that it is lost where its disk is proven to be gone", async () => {
    assert.equal(await phase(), "ready");
    rmSync(disk);
    assert.equal(await phase(), "lost");
    await remake();
    assert.equal(await phase(), "ready");
    assert.ok(readsInside(topOf(id), "0", "64k", 0x11), "it stands on its image again, with nothing on it");
  });

  it("is not known where the directory of its disk is gone, as where nothing is mounted", async () => {
    const directory = dirname(disk);
    renameSync(directory, `${directory}.away`);
    try {
      await assert.rejects(
        read(id, state),
        new RegExp(`Cannot read VM "${name}": it cannot be told whether its disk ${disk} is there: .*ENOENT`),
      );
      await assert.rejects(remake(), /the directory .* does not exist/);
    } finally {
      renameSync(`${directory}.away`, directory);
    }
    assert.equal(await phase(), "ready");
    assert.ok(readsInside(disk, "0", "64k", 0x22));
  });

  it("is not known where its disk is a link that leads nowhere", async () => {
    renameSync(disk, `${disk}.away`);
    execFileSync("ln", ["-s", "/nonexistent/disk.qcow2", disk]);
    await refused(new RegExp(`it cannot be told whether its disk ${disk} is there`));
    rmSync(disk);
    renameSync(`${disk}.away`, disk);
  });

  it("is not that it is lost while it runs: its disk is there as long as it is open", async () => {
    virsh("start", id);
    rmSync(disk);
    await refused(new RegExp(`its disk ${disk} is gone, but the VM runs and has it open`));
    assert.equal(virsh("domstate", id), "running");
    virsh("destroy", id);
    assert.equal(await phase(), "lost");
  });

  it("is not that it is lost where another disk of it is left", async () => {
    const second = newDiskPath(store.settings);
    await createDisk(second, 1024 ** 2);
    const { mark } = (await findDomain(connection, id)) ?? {};
    assert.ok(mark);
    await setMark(connection, id, { ...mark, files: [...mark.files, second] });
    rmSync(disk);
    await refused(new RegExp(`its disk ${disk} is gone, but ${second} is there still`));
    assert.ok(existsSync(second));
  });

  describe("in a store where disks were frozen", () => {
    let outer: TestStore | undefined;
    beforeEach(async () => {
      // Other tests leave frozen disks and disks that are missing.
      const own = await makeSmallStore();
      outer = store;
      store = own;
      await make();
    });
    afterEach(async () => {
      if (outer === undefined) return;
      await store.remove();
      store = outer;
      outer = undefined;
    });
    const clone = async () => {
      const copy = { source: name, name: `${name}-copy`, running: false, autostart: false, connection, timeouts: {} };
      return (await cloneVm({ ...copy, settings: store.settings }, smallOwner, store.context)).uuid;
    };

    it("is not that it is lost where one that nobody else uses holds what was on it before", async () => {
      const copy = await clone();
      const [top = "", base = ""] = (await backingChain(topOf(id))).map(({ path }) => path);
      await removeVm(connection, copy, smallOwner, store.context, { shutdown: 0 });
      const first = { name, id, state };
      await make();
      // Where the disk of another VM is missing, it cannot be told for whom a frozen disk is kept.
      for (const path of [topOf(id), top]) rmSync(path);
      ({ name, id, state } = first);
      await refused(new RegExp(`its disk ${top} is gone, but ${base}, a frozen disk .* is there still`));
      assert.ok(readsInside(base, "0", "64k", 0x22));
    });

    it("is that it is lost where a clone has all that was frozen, whatever names that bears still", async () => {
      const old = topOf(id);
      virsh("start", id);
      const copy = await clone();
      virsh("destroy", id);
      assert.ok(existsSync(old), "the old name goes later");
      rmSync(topOf(id));
      assert.equal(await phase(), "lost");
      assert.ok(readsInside(topOf(copy), "0", "64k", 0x22));
    });

    it("is that it is lost where an interrupted freeze gave the disk of another one a second name", async () => {
      linkSync(disk, basePathOf(store.settings, disk));
      await make();
      rmSync(disk);
      assert.equal(await phase(), "lost");
    });
  });

  it("is not that it is lost where the disk that is gone is none of ours: ours may be below it", async () => {
    const other = join(store.settings.images, "snapshot.qcow2");
    virsh("snapshot-create-as", id, "--disk-only", "--no-metadata", "--diskspec", `vda,file=${other}`);
    rmSync(other);
    await refused(new RegExp(`its disk ${other} is gone, which is not a file that we made`));
    assert.ok(readsInside(disk, "0", "64k", 0x22));
  });

  it("names what its disk stands on where that is gone, base or image, and leaves everything", async () => {
    const copy = { source: name, name: `${name}-copy`, running: false, autostart: false, connection, timeouts: {} };
    await cloneVm({ ...copy, settings: store.settings }, smallOwner, store.context);
    const [top, base, image] = (await backingChain(topOf(id))).map(({ path }) => path);
    assert.ok(top !== undefined && base !== undefined && image !== undefined);
    for (const file of [base, image]) {
      renameSync(file, `${file}.away`);
      await assert.rejects(
        read(id, state),
        new RegExp(
          `Cannot read VM "${name}": the file ${file}, which its disk stands on, is gone; nothing was changed`,
        ),
      );
      renameSync(`${file}.away`, file);
      assert.ok(existsSync(top));
    }
    assert.equal(await phase(), "ready");
  });

  it("is never that it is gone where libvirt cannot be asked", async () => {
    const module = JSON.stringify(join(packageFiles.root, "dist/provider/vm-read.js"));
    const script = `const { read } = await import(${module});
      console.log(JSON.stringify(await read(${JSON.stringify(id)}, JSON.parse(process.argv[1]))));`;
    const node = [process.execPath, "--input-type=module", "-e", script, JSON.stringify(state)] as const;
    // libvirt's sockets are not there for this process alone.
    const hidden = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /run/libvirt && exec "$@"', "sh"] as const;
    const { status, stderr } = await attempt([...hidden, ...node]);
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`Cannot read VM "${name}": libvirt does not answer at qemu:///system`));
    assert.match((await attempt([...node])).stdout, new RegExp(`"id":"${id}"`));
    virsh("undefine", id, "--nvram");
    assert.deepEqual(await read(id, state), {}, "once libvirt has listed all that it has");
  });

  it("is the name that it has at libvirt, and who has its own by now where it cannot get that back", async () => {
    virsh("domrename", id, `${name}-x`);
    const { props } = await read(id, state);
    assert.deepEqual([props?.["name"], props?.["domainName"]], [name, `${name}-x`]);
    const other = join(store.settings.images, "other.xml");
    const os = "<memory>1024</memory><os><type>hvm</type></os>";
    writeFileSync(other, `<domain type="qemu"><name>${name}</name>${os}</domain>`);
    virsh("define", other);
    try {
      const news = inputsOf(smallSpec(store.settings, name));
      const message = new RegExp(`libvirt calls it "${name}-x", and another domain has its name by now`);
      await assert.rejects(converge(archVm, id, { ...state, ...props }, news, store.context), message);
      assert.equal(virsh("domname", id), `${name}-x`);
    } finally {
      virsh("undefine", name);
    }
  });

  it("of a state of an older version is found with what that did not record", async () => {
    const older = Object.fromEntries(["name", "disk", "memory"].map((key) => [key, state[key]]));
    const { props } = await read(id, older);
    assert.deepEqual([props?.["phase"], props?.["uuid"], props?.["domainName"]], ["ready", id, name]);
  });
});
