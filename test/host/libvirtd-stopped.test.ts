/** A stack on a host whose libvirtd does not run. */
import assert from "node:assert/strict";
import { stopLibvirtd } from "../support/libvirtd.js";
import { bootstrap } from "../support/store.js";
import { openSmallScene, smallVm } from "../support/small-scene.js";

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
