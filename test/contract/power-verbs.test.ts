import assert from "node:assert/strict";
import { tryLock } from "../../provider/host/lock.js";
import { vmLock } from "../../provider/vm/ownership.js";
import { makeSmallStore, smallOwner } from "../support/small-vm.js";
import { crashQemu, leaveAt, makeForeign, makeOff, panicGuest, stateOf } from "../support/states.js";
import { type TestStore, virsh } from "../support/store.js";
import { outcomesOf, type Vms, vmsOn } from "../support/vms-command.js";

const verbs = ["start", "stop", "kill"] as const;
let counter = 0;

describe("the verbs that power VMs on and off (real libvirtd, no guest)", () => {
  let store: TestStore;
  let vms: Vms;
  let done: ReturnType<typeof outcomesOf>["done"];
  let refused: ReturnType<typeof outcomesOf>["refused"];
  let name: string;

  before(async () => {
    store = await makeSmallStore();
    vms = vmsOn(store.settings);
    ({ done, refused } = outcomesOf(vms));
  });
  beforeEach(() => {
    name = `vms-test-power-${process.pid}-${counter++}`;
  });
  after(() => store.remove());

  it("start: starts what is off, says so where it runs already, and kill forces it off at once", async () => {
    const uuid = await makeOff(store, name);
    assert.equal(await done("kill", name), `${name} is off already`);
    assert.equal(await done("stop", name), `${name} is off already`);
    assert.equal(await done("start", name), `${name} was started`);
    assert.equal(stateOf(uuid), "running");
    assert.equal(await done("start", name), `${name} runs already`);
    assert.equal(await done("kill", name), `${name} was forced off`);
    assert.equal(stateOf(uuid), "shut off");
  });

  it("stop: says that the guest does not answer and what to do, and leaves it running", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid);
    const said = await refused(1, "stop", name, "--timeout", "1");
    assert.equal(stateOf(uuid), "running");
    await done("kill", name);
    assert.match(said, /the guest did not power off within 1 s \(asked by ACPI\)\n/);
    assert.ok(said.includes(`force it off: vms kill ${name}`), said);
  });

  it("start: lets go on what is paused, which stop refuses with what to do", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid, "--paused");
    const said = await refused(1, "stop", name);
    assert.match(said, /it is paused, and a guest that is paused cannot power off/);
    assert.ok(said.includes(`vms start ${name}`) && said.includes(`vms kill ${name}`), said);
    assert.equal(await done("start", name), `${name} was paused and goes on`);
    assert.equal(stateOf(uuid), "running");
    virsh("suspend", uuid);
    assert.equal(await done("kill", name), `${name} was forced off`);
  });

  it("start: starts anew what has crashed, and says so", async () => {
    const uuid = await makeOff(store, name);
    await crashQemu(uuid);
    assert.equal(await done("stop", name), `${name} is off already`);
    assert.equal(await done("start", name), `${name} had crashed and was started anew`);
    assert.equal(stateOf(uuid), "running");
    virsh("destroy", uuid);
  });

  it("a VM whose guest panicked and that is kept: stop says what to do, kill ends it, start starts it anew", async () => {
    const uuid = await makeOff(store, name);
    await panicGuest(store, uuid);
    const said = await refused(1, "stop", name);
    assert.match(said, /its guest crashed and cannot power off/);
    assert.ok(said.includes(`vms kill ${name}`), said);
    assert.equal(stateOf(uuid), "crashed");
    assert.equal(await done("start", name), `${name} had crashed and was started anew`);
    virsh("qemu-monitor-command", uuid, "--hmp", "o /1 0x505 1");
    assert.equal(await done("kill", name), `${name} was forced off`);
    assert.equal(stateOf(uuid), "shut off");
  });

  it("start: goes on with a memory that was saved, and says so", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid);
    virsh("managedsave", uuid);
    assert.equal(await done("start", name), `${name} goes on with the memory that was saved`);
    virsh("destroy", uuid);
  });

  for (const phase of ["creating", "deleting"] as const) {
    it(`refuse one that was left ${phase}, with what to do`, async () => {
      const uuid = await makeOff(store, name);
      await leaveAt(uuid, phase);
      for (const verb of verbs) {
        const said = await refused(1, verb, name);
        assert.ok(said.startsWith(`Cannot ${verb} VM "${name}": it is not whole: `), said);
        assert.ok(said.includes(`"${phase}"`) && said.includes(`remove it: vms destroy ${name}`), said);
      }
      assert.equal(stateOf(uuid), "shut off");
    });
  }

  it("refuse a domain that is not ours, and leave it alone", async () => {
    const uuid = await makeOff(store, name);
    makeForeign(uuid);
    virsh("start", uuid, "--paused");
    for (const verb of verbs) {
      const said = await refused(1, verb, name);
      assert.ok(
        said.startsWith(`Cannot ${verb} VM "${name}": the domain of that name is not ours (UUID ${uuid})`),
        said,
      );
    }
    assert.equal(stateOf(uuid), "paused");
    virsh("destroy", uuid);
  });

  it("tell a name that is not there from one that is close, and from what is no name", async () => {
    await makeOff(store, name);
    for (const verb of verbs) {
      const said = await refused(1, verb, `${name}x`);
      assert.equal(
        said,
        `Cannot ${verb} VM "${name}x": there is no VM of that name\n  Did you mean ${name}? See: vms list`,
      );
      assert.match(await refused(1, verb, "nowhere-near-it"), /there is no VM of that name\n {2}See: vms list$/);
      assert.match(await refused(2, verb, "Bad_Name"), /"Bad_Name": it is not a name that a VM can have/);
      assert.match(await refused(2, verb), /missing required argument 'name'/);
    }
    assert.match(await refused(2, "stop", name, "--timeout", "0"), /It must be one second or more/);
  });

  it("a VM that another process works on: start and stop say so, kill does not wait for it", async () => {
    const uuid = await makeOff(store, name);
    const lock = await tryLock(vmLock(store.settings, name));
    assert.ok(lock);
    virsh("start", uuid);
    try {
      for (const verb of ["start", "stop"])
        assert.match(await refused(1, verb, name), /another process is working on it\n/);
      assert.equal(await done("kill", name), `${name} was forced off`);
    } finally {
      await lock.release();
    }
  });

  it("power a VM of a stack as well, and say whose it is", async () => {
    await makeOff(store, name, smallOwner);
    for (const verb of ["start", "kill"]) {
      const { status, stderr } = await vms(verb, name);
      assert.equal(status, 0, stderr);
      assert.ok(stderr.includes(`${name} belongs to ${smallOwner.label}: where its program sets running`), stderr);
    }
  });
});
