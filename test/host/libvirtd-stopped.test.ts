/** A host whose libvirtd does not run, or not as it should. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { startLibvirtdAlone, stopLibvirtd } from "../support/libvirtd.js";
import { openSmallScene, smallVm } from "../support/small-scene.js";
import { bootstrap, connection, makeStore, type TestStore } from "../support/store.js";
import { addUser, removeUser } from "../support/users.js";

describe("an ArchVm where libvirtd does not run", () => {
  it("is previewed, and up says how to start it, does nothing else, and makes it when that is done", async () => {
    const scene = await openSmallScene();
    const stack = await scene.stack("stopped");
    const vm = smallVm(scene, "vm", `vms-test-stopped-${process.pid}`);
    stack.write(vm);
    stopLibvirtd();
    try {
      assert.equal((await stack.preview()).status, 0, "a preview needs no libvirt");
      const { status, output } = await stack.up();
      assert.notEqual(status, 0);
      assert.match(output, /libvirt does not answer[^]*vms bootstrap/);
      stack.write(`const host = new HostBootstrap("host"); ${vm.replace(/\{ {2}\}\)$/, "{ dependsOn: host })")}`);
      const made = await stack.up();
      assert.equal(made.status, 0, made.output);
      assert.equal((await stack.destroy()).status, 0);
    } finally {
      // Whatever failed, the tests behind this one need it.
      bootstrap(scene.store.settings);
    }
  });
});

describe("libvirtd that was started before there was a message bus", () => {
  const user = `vms-test-bus-${process.pid}`;
  let store: TestStore | undefined;
  before(function () {
    // There the bus is systemd's, and is there first.
    if (existsSync("/run/systemd/system")) this.skip();
    store = makeStore();
    addUser(user, "--no-create-home");
  });
  after(async () => {
    if (store === undefined) return;
    removeUser(user);
    bootstrap(store.settings);
    await store.remove();
  });

  it("lets in nobody but root, until bootstrap has started it again", () => {
    assert.ok(store);
    const { settings } = store;
    execFileSync("usermod", ["--append", "--groups", "libvirt", user]);
    const list = ["-u", user, "--", "virsh", "--connect", connection, "list"];
    bootstrap(settings);
    execFileSync("runuser", list);
    startLibvirtdAlone();
    assert.throws(() => execFileSync("runuser", list, { stdio: "pipe" }), /system bus/);
    bootstrap(settings);
    execFileSync("runuser", list);
  });
});
