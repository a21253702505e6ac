/** What a change of the guest does to a VM that is off: real libvirtd, no guest. */
import assert from "node:assert/strict";
import { archVm } from "../../provider/arch-vm.js";
import { vmClone } from "../../provider/vm-clone.js";
import { converge, makeWhole } from "../../provider/vm-operations.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { definedCredentials } from "../../provider/libvirt/credentials.js";
import { createVm } from "../../provider/vm/create.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { inputsOf, makeSmallStore, smallOwner, smallSpec } from "../support/small-vm.js";
import { type TestStore, connection, virsh } from "../support/store.js";

let counter = 0;
const newName = () => `vms-test-guest-${process.pid}-${counter++}`;
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmrpW1JcHkjLQ2BqT9k9f1DPVkUAc2LYlQ6PxkSYpWq one & <two>";

describe("a change of the guest (real libvirtd)", () => {
  let store: TestStore;

  before(async () => {
    store = await makeSmallStore();
  });
  after(() => store.remove());

  const spec = (name: string, changes: Partial<VmSpec> = {}) => smallSpec(store.settings, name, changes);

  /** The definition without our own credentials. */
  const others = (uuid: string) =>
    virsh("dumpxml", "--inactive", uuid)
      .split("\n")
      .filter((line) => !line.includes("io.systemd.credential"))
      // libvirt puts controllers into an order of its own.
      .sort();

  it("is in the definition of a VM that is off, with a later revision, and changes nothing else of it", async () => {
    const name = newName();
    const first = spec(name, { timezone: "Europe/Berlin" });
    const { id, outs } = await makeWhole(archVm, inputsOf(first), smallOwner, store.context);
    const [before, rest] = [await definedCredentials(connection, id), others(id)];
    const second = spec(name, { hostname: "renamed", authorizedKeys: [key] });
    const { outs: changed } = await converge(archVm, id, outs, inputsOf(second), store.context);
    const now = await definedCredentials(connection, id);
    assert.equal(before["vms.timezone"], "Europe/Berlin");
    assert.match(before["vms.revision"] ?? "", /^1\./);
    assert.match(now["vms.revision"] ?? "", /^2\./);
    assert.deepEqual(now, {
      "vms.revision": now["vms.revision"],
      "vms.instance": id,
      "vms.hostname": "renamed",
      "vms.user": "user",
      "vms.sudo": "nopasswd",
      "vms.authorized_keys": `${key}\n`,
    });
    assert.deepEqual(others(id), rest);
    assert.equal(virsh("domstate", id), "shut off");
    await converge(archVm, id, changed ?? {}, inputsOf({ ...second, memory: 160 }), store.context);
    assert.deepEqual(await definedCredentials(connection, id), now, "another change is no new revision");
  });

  it("of a clone is of its own settings only; what it has of its source stays", async () => {
    const source = newName();
    const first = spec(source, { timezone: "Europe/Berlin", authorizedKeys: [key] });
    await makeWhole(archVm, inputsOf(first), smallOwner, store.context);
    const { settings } = store;
    const own = {
      name: `${source}-clone`,
      source,
      running: false,
      autostart: false,
      connection,
      timeouts: {},
      settings,
    };
    const clone = { ...own, resourceUrn: "" };
    const { id, outs } = await makeWhole(vmClone, clone, smallOwner, store.context);
    await converge(vmClone, id, outs, { ...clone, hostname: "own" }, store.context);
    const { "vms.hostname": hostname, "vms.timezone": timezone, ...others } = await definedCredentials(connection, id);
    assert.deepEqual([hostname, timezone], ["own", "Europe/Berlin"]);
    assert.deepEqual([others["vms.authorized_keys"], others["vms.instance"]], [`${key}\n`, id]);
  });

  it("that fails to boot the VM for a password takes the settings back, for a guest that has begun to take them", async () => {
    const name = newName();
    const first = spec(name);
    const { id, outs } = await makeWhole(archVm, inputsOf(first), smallOwner, store.context);
    const before = await definedCredentials(connection, id);
    const second = spec(name, { hostname: "renamed", password: "$2b$10$x", timeouts: { boot: 1, shutdown: 1 } });
    await assert.rejects(converge(archVm, id, outs, inputsOf(second), store.context), /no answer of the guest agent/);
    const now = await definedCredentials(connection, id);
    assert.deepEqual({ ...now, "vms.revision": "" }, { ...before, "vms.revision": "" });
    assert.match(now["vms.revision"] ?? "", /^3\./);
  });

  describe("of a VM that the command line made", () => {
    async function makeByHand(): Promise<{ name: string; uuid: string }> {
      const name = newName();
      const { uuid } = await createVm(spec(name), commandLine, store.context);
      return { name, uuid };
    }

    const take = (wanted: VmSpec) => makeWhole(archVm, inputsOf(wanted), smallOwner, store.context);

    it("needs adopt, which the error says", async () => {
      const { name, uuid } = await makeByHand();
      await assert.rejects(take(spec(name)), /it belongs to the command line[^]*adopt: true/);
      assert.equal((await findDomain(connection, uuid))?.mark?.owner.id, "cli");
    });

    it("makes it the stack's, under its UUID and with its disk, as the program says", async () => {
      const { name, uuid } = await makeByHand();
      const disks = (await findDomain(connection, uuid))?.disks;
      const { id } = await take(spec(name, { adopt: true, hostname: "taken", memory: 192, disk: "96M" }));
      const domain = await findDomain(connection, name);
      assert.equal(id, uuid);
      assert.deepEqual(domain?.disks, disks);
      assert.equal(domain?.mark?.owner.id, smallOwner.id);
      assert.equal(domain.memory, 192);
      assert.equal((await definedCredentials(connection, uuid))["vms.hostname"], "taken");
      await assert.rejects(removeVm(connection, name, commandLine, store.context), /it belongs to the stack/);
    });

    it("is refused where the profile, the user or the disk cannot be had in place, and nothing is changed", async () => {
      const { name, uuid } = await makeByHand();
      const before = virsh("dumpxml", "--inactive", uuid);
      const wanted = spec(name, { adopt: true, profile: "gui", user: "ada", disk: "1M", hostname: "taken" });
      const message = /its profile is minimal, not gui; its user is user, not ada; its disk has \d+ bytes/;
      await assert.rejects(take(wanted), message);
      assert.equal(virsh("dumpxml", "--inactive", uuid), before);
    });

    it("that fails leaves it the command line's", async () => {
      const { name, uuid } = await makeByHand();
      const wanted = spec(name, { adopt: true, password: "$2b$10$x", timeouts: { boot: 1, shutdown: 1 } });
      await assert.rejects(take(wanted), (error: Error & { id?: string }) => {
        assert.match(error.message, /Cannot adopt VM .*no answer of the guest agent/);
        return error.id === undefined;
      });
      assert.equal((await findDomain(connection, uuid))?.mark?.owner.id, "cli");
      assert.equal(await removeVm(connection, name, commandLine, store.context, { shutdown: 0 }), true);
    });
  });
});
