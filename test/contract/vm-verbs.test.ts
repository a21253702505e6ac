import assert from "node:assert/strict";
import { existsSync, readdirSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { archVm } from "../../provider/arch-vm.js";
import type { RunResult } from "../../provider/host/command.js";
import { tryLock } from "../../provider/host/lock.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { createVm } from "../../provider/vm/create.js";
import { imageLock } from "../../provider/vm/install-leftovers.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import { makeWhole } from "../../provider/vm-operations.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import { inputsOf, isoPath, makeSmallStore, smallOwner, smallSpec } from "../support/small-vm.js";
import { makeInstall } from "../support/states.js";
import { type TestStore, connection, virsh } from "../support/store.js";
import { inClosingTerminal, inTerminal, vmsOn } from "../support/vms-command.js";
import { assertWhole } from "../support/whole-store.js";

let counter = 0;

describe("the verbs of the command line about VMs (real libvirtd, no guest)", () => {
  let store: TestStore;
  let name: string;

  before(async () => {
    store = await makeSmallStore();
  });
  beforeEach(() => {
    name = `vms-test-verbs-${process.pid}-${counter++}`;
  });
  after(() => store.remove());

  const vms = (...args: string[]): Promise<RunResult> => vmsOn(store.settings)(...args);

  it("destroy: deletes a VM of the command line with its disk", async () => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    const disk = topOf(uuid);
    const { status, stdout, stderr } = await vms("destroy", name, "--yes");
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `${name} and its disk are gone`);
    assert.equal(existsSync(disk), false);
    const again = await vms("destroy", name, "--yes", "--force");
    assert.equal(again.status, 1);
    assert.match(again.stderr, /there is no VM of that name/);
  });

  it("destroy: asks on a terminal, and deletes nothing for another answer than yes, or for Ctrl-C", async () => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    for (const [answer, status, said] of [
      ["y\r", 130, /nothing was deleted/],
      ["\u0003", 130, /nothing was deleted/],
      ["\u0004", 130, /nothing was deleted/],
      ["yes\r", 0, /and its disk are gone/],
    ] as const) {
      assert.ok(await findDomain(connection, uuid));
      const session = inTerminal(store.settings, "destroy", name);
      await session.sees(new RegExp(`Delete the VM ${name} and everything on its disk\\? Type yes: `));
      session.write(answer);
      assert.equal((await session.ended).status, status, session.said());
      assert.match(session.said(), said);
    }
    assert.equal(await findDomain(connection, uuid), undefined);
  });

  it("destroy: says where its disk is left when somebody undefines it while we ask", async () => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    const disk = topOf(uuid);
    const session = inTerminal(store.settings, "destroy", name);
    await session.sees(/Type yes: /);
    virsh("undefine", uuid, "--nvram");
    session.write("yes\r");
    assert.equal((await session.ended).status, 0, session.said());
    assert.match(session.said(), new RegExp(`${name} is gone: somebody else removed it meanwhile`));
    assert.match(session.said().replace(/\s+/g, " "), new RegExp(`its disk is left, and nothing removes it: ${disk}`));
    assert.ok(existsSync(disk));
    for (const file of [disk, join(storePaths(store.settings).log, `${name}.log`)]) rmSync(file);
  });

  it("clone: is stopped by Ctrl-C while it waits for the guest, and takes back what it made", async () => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    const session = inTerminal(store.settings, "clone", name, `${name}-clone`);
    await session.sees(/starting: waiting for the guest agent/);
    session.write("\u0003");
    assert.equal((await session.ended).status, 130, session.said());
    assert.match(session.said(), /starting\.\.\. stopped .*removing\.\.\. done .*Cannot clone VM/s);
    await assertWhole(store.settings, [name]);
    await removeVm(connection, uuid, commandLine, store.context, { shutdown: 0 });
  });

  /** Of a VM that is booted from an ISO with nothing on it: it is waited for until somebody stops that. */
  const creation = (): string[] => {
    const where = ["--iso", isoPath(store.settings), "--network", "user", "--memory", "512", "--disk", "8G"];
    return ["create", name, "--profile", "minimal", ...where];
  };

  it("create: is stopped by Ctrl-C while it waits for the guest, and takes back what it made", async () => {
    const session = inTerminal(store.settings, ...creation());
    await session.sees(/starting: waiting for the guest agent/);
    session.write("\u0003");
    assert.equal((await session.ended).status, 130, session.said());
    assert.match(session.said(), /starting\.\.\. stopped .*removing\.\.\. done .*Cannot create VM/s);
    await assertWhole(store.settings, []);
  });

  it("create: takes back what it made when its terminal is closed", async () => {
    const terminal = inClosingTerminal(store.settings, ...creation());
    await terminal.sees(/starting: waiting for the guest agent/);
    assert.equal(await terminal.close(), 128 + constants.signals.SIGHUP);
    await assertWhole(store.settings, []);
  });

  it("destroy: refuses the VM of a stack with its owner's name, says what --force means, and does that when it is given", async () => {
    const { id } = await makeWhole(archVm, inputsOf(smallSpec(store.settings, name)), smallOwner, store.context);
    const disk = topOf(id);
    for (const args of [["--yes"], []]) {
      const { status, stdout, stderr } = await vms("destroy", name, ...args);
      assert.equal(status, 1);
      assert.equal(stdout, "");
      assert.ok(
        stderr.startsWith(`Cannot delete VM "${name}": it belongs to ${smallOwner.label}; it was left alone\n`),
      );
      assert.match(stderr, /--force deletes it and its disk all the same; its stack is not asked, and finds it gone/);
    }
    const unconfirmed = await vms("destroy", name, "--force");
    assert.equal(unconfirmed.status, 2);
    assert.match(unconfirmed.stderr, new RegExp(`If you mean it: vms destroy ${name} --force --yes`));
    assert.ok(existsSync(disk));
    const forced = await vms("destroy", name, "--yes", "--force");
    assert.equal(forced.status, 0, forced.stderr);
    assert.ok(
      forced.stdout.includes(`${smallOwner.label} finds it gone at its next pulumi refresh, or pulumi up --refresh`),
    );
    assert.equal(await findDomain(connection, id), undefined);
    assert.equal(existsSync(disk), false);
    await assertWhole(store.settings, []);
  });

  it("destroy: asks nothing about what is not there, and says what is close; a name that none can have is wrongly used", async () => {
    await createVm(smallSpec(store.settings, name), commandLine, store.context);
    const missing = await vms("destroy", `${name}x`);
    assert.equal(missing.status, 1);
    assert.equal(
      missing.stderr,
      `Cannot delete VM "${name}x": there is no VM of that name\n  Did you mean ${name}? See: vms list`,
    );
    assert.equal((await vms("destroy", "Bad_Name", "--yes")).status, 2);
    const source = await vms("clone", `${name}x`, `${name}-a`);
    assert.equal(source.status, 1);
    assert.ok(source.stderr.endsWith(`does not exist\n  Did you mean ${name}? See: vms list`), source.stderr);
    const compacted = await vms("images", "--compact", `${name}x`);
    assert.ok(compacted.stderr.endsWith(`Did you mean ${name}? See: vms list`), compacted.stderr);
    assert.equal((await vms("destroy", name, "--yes")).status, 0);
  });

  it("destroy: leaves an install alone that goes on, and removes one that was killed", async () => {
    const uuid = await makeInstall(store, name, `${name}-vm`);
    const mark = (await findDomain(connection, uuid))?.mark;
    assert.ok(mark);
    const lock = await tryLock(imageLock(store.settings, mark.image));
    assert.ok(lock);
    const { status, stderr } = await vms("destroy", name, "--yes");
    await lock.release();
    assert.equal(status, 1);
    assert.match(stderr, /it is no VM: an image is being made in it\n/);
    assert.ok(await findDomain(connection, uuid));
    const dead = await vms("destroy", name, "--yes");
    assert.equal(dead.stdout, `${name} and its disk are gone`, dead.stderr);
    assert.equal(await findDomain(connection, uuid), undefined);
  });

  it("destroy: leaves a domain that is not ours alone, with --force as well", async () => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    const disk = topOf(uuid);
    virsh("metadata", uuid, "--uri", "urn:pulumi-vms:vm:1", "--remove", "--config");
    const { status, stderr } = await vms("destroy", name, "--yes", "--force");
    assert.equal(status, 1);
    assert.match(stderr, /the domain of that name is not ours/);
    assert.ok(existsSync(disk));
    virsh("undefine", uuid, "--nvram");
  });

  it("clone: two at once of one source are both made, and stand on what it had", async () => {
    const { uuid } = await createVm(smallSpec(store.settings, name), commandLine, store.context);
    writeInside(topOf(uuid), "0", "64k", 0x22);
    const copies = [`${name}-a`, `${name}-b`];
    const results = await Promise.all(copies.map((copy) => vms("clone", name, copy, "--no-start")));
    for (const { status, stderr } of results) assert.equal(status, 0, stderr);
    for (const copy of copies) {
      const domain = await findDomain(connection, copy);
      assert.ok(domain);
      assert.ok(readsInside(topOf(domain.uuid), "0", "64k", 0x22));
    }
    assert.equal(readdirSync(storePaths(store.settings).base).length, 1, "they share one base");
    for (const one of [name, ...copies]) assert.equal((await vms("destroy", one, "--yes")).status, 0);
    assert.deepEqual(readdirSync(storePaths(store.settings).base), []);
  });

  it("clone: of two at once under one name one is made, and the other one is told why it is not", async () => {
    await createVm(smallSpec(store.settings, name), commandLine, store.context);
    const results = await Promise.all([1, 2].map(() => vms("clone", name, `${name}-a`, "--no-start")));
    assert.deepEqual(results.map(({ status }) => status).sort(), [0, 1]);
    const { stderr = "" } = results.find(({ status }) => status === 1) ?? {};
    assert.match(stderr, /another process is working on it|there is a VM of that name already/);
    for (const one of [name, `${name}-a`]) assert.equal((await vms("destroy", one, "--yes")).status, 0);
  });
});
