/** `pulumi up` that is stopped by Ctrl-C, twice, in a terminal; no guest is needed, for what is made is left off. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Lock, tryLock } from "../../provider/host/lock.js";
import { slotCount } from "../../provider/host/slots.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { topOf, writeInside } from "../support/disk-content.js";
import type { Stack } from "../support/project.js";
import { isoPath, makeSmallStore } from "../support/small-vm.js";
import { type TestStore, connection } from "../support/store.js";
import { assertWhole } from "../support/whole-store.js";
import { eventually, minute, openScene } from "../support/scene.js";

describe("a pulumi up that is interrupted twice by Ctrl-C", () => {
  let store: TestStore;
  let stack: Stack;
  const name = `vms-e2e-interrupt-${process.pid}`;

  before(async () => {
    const scene = await openScene();
    store = await makeSmallStore();
    const { images, iso, filesystems, pkgCache } = store.settings;
    const environment = { VMS_IMAGES: images, VMS_ISO: iso, VMS_FILESYSTEMS: filesystems, VMS_PKG_CACHE: pkgCache };
    stack = await scene.stack(name, environment);
  });
  after(() => store.remove());

  const vm = (running: boolean) =>
    `const vm = new ArchVm("vm", { name: "${name}", profile: "minimal", network: "user", memory: 512, disk: "8G",
       iso: ${JSON.stringify(isoPath(store.settings))}, acceleration: "tcg", running: ${String(running)} });\n`;
  const copy = `new VmClone("copy", { source: vm, name: "${name}-copy", running: false });\n`;

  async function hold(lock: string): Promise<Lock> {
    const held = await tryLock(join(storePaths(store.settings).lock, lock));
    assert.ok(held, lock);
    return held;
  }

  /** Stops it where it waits for a lock of ours: in the middle, whatever the host's speed. */
  async function interruptAt(locks: readonly string[], isThere: () => Promise<boolean>): Promise<void> {
    const held = await Promise.all(locks.map(hold));
    const terminal = stack.startInTerminal(["up", "--yes", "--skip-preview"]);
    try {
      await eventually(isThere, minute);
      terminal.interrupt();
      await eventually(() => /cancel/i.test(terminal.shown()), minute);
      terminal.interrupt();
      assert.notEqual(await terminal.ended, 0, terminal.shown());
    } finally {
      terminal.kill();
      for (const lock of held) await lock.release();
    }
    await stack.unlock();
  }

  const phase = async (of: string) => (await findDomain(connection, of))?.mark?.phase;

  it("during a create is made whole by the next one", async () => {
    stack.write(vm(true));
    const slots = Array.from({ length: slotCount("tcg") }, (_, index) => `slot-${index}`);
    const { log } = storePaths(store.settings);
    await interruptAt(slots, async () => (await phase(name)) === "creating" && readdirSync(log).length > 0);
    assert.equal(await phase(name), "creating");
    stack.write(vm(false));
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    await assertWhole(store.settings, [name]);
    assert.equal((await stack.up("--expect-no-changes")).status, 0);
  });

  it("during a clone is made whole by the next one", async () => {
    stack.write(vm(false) + copy);
    const { uuid = "" } = (await findDomain(connection, name)) ?? {};
    // A VM that was never written to needs no freeze.
    writeInside(topOf(uuid), "0", "64k", 0x22);
    await interruptAt(["store"], async () => {
      const announced = ((await findDomain(connection, name))?.mark?.files ?? []).filter((file) => /qcow2$/.test(file));
      return announced.length > 1;
    });
    assert.equal(await phase(`${name}-copy`), "creating");
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    await assertWhole(store.settings, [name, `${name}-copy`]);
    assert.equal((await stack.up("--expect-no-changes")).status, 0);
    assert.equal((await stack.destroy()).status, 0);
    await assertWhole(store.settings, []);
  });
});
