import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "../../provider/paths.js";
import { isPng } from "../../provider/storage/picture.js";
import { consoleLogPath } from "../../provider/storage/store.js";
import type { ListedVm } from "../../provider/vm/list.js";
import { makeSmallStore, smallOwner } from "../support/small-vm.js";
import { eventually, minute } from "../support/scene.js";
import { leaveAt, makeForeign, makeInstall, makeOff, panicGuest } from "../support/states.js";
import { type TestStore, virsh, environmentOf } from "../support/store.js";
import { outcomesOf, type Vms, vmsOn, vmsProgram } from "../support/vms-command.js";

let counter = 0;

describe("the verbs that look at VMs (real libvirtd, no guest)", () => {
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
    name = `vms-test-looks-${process.pid}-${counter++}`;
  });
  after(() => store.remove());

  const logOf = (vm: string): string => consoleLogPath(store.settings, vm);

  it("list: shows VMs of the command line and of stacks with their owner, how far one was made, and no others", async () => {
    const names = ["cli", "stack", "half", "foreign", "paused"].map((one) => `${name}-${one}`);
    const [cli = "", stack = "", half = "", foreign = "", paused = ""] = names;
    await makeOff(store, cli);
    await makeOff(store, stack, smallOwner);
    await leaveAt(await makeOff(store, half), "creating");
    makeForeign(await makeOff(store, foreign));
    const uuid = await makeOff(store, paused);
    virsh("start", uuid, "--paused");
    const table = (await done("list")).split("\n").map((line) => line.split(/ {2,}/));
    const listed = JSON.parse(await done("list", "--json")) as ListedVm[];
    virsh("destroy", uuid);
    assert.deepEqual(table[0], ["NAME", "STATE", "PROFILE", "ADDRESS", "OWNER"]);
    const shown = new Map(table.map(([first = "", ...rest]) => [first, rest]));
    assert.deepEqual(shown.get(cli), ["shut off", "minimal", "-", "the command line"]);
    assert.deepEqual(shown.get(stack), ["shut off", "minimal", "-", smallOwner.label]);
    assert.deepEqual(shown.get(half), ["shut off (creating)", "minimal", "-", "the command line"]);
    assert.equal(shown.get(paused)?.[0], "paused");
    assert.equal(shown.has(foreign), false);
    const ours = listed.filter((vm) => names.includes(vm.name));
    assert.deepEqual(
      ours.map((vm) => [vm.name, vm.owner, vm.phase, vm.memory]),
      [
        [cli, "cli", "ready", 128],
        [half, "cli", "creating", 128],
        [paused, "cli", "ready", 128],
        [stack, smallOwner.id, "ready", 128],
      ],
    );
    const [first] = ours;
    assert.ok(first);
    assert.equal(first.consoleLog, logOf(cli));
    assert.ok(first.base.startsWith(`${storePaths(store.settings).images}/`), first.base);
  });

  it("ip: says of one that is off how to start it, and of one without an address whom it asked", async () => {
    const uuid = await makeOff(store, name);
    const off = await refused(1, "ip", name);
    assert.equal(off, `Cannot find the address of VM "${name}": it is off\n  Start it: vms start ${name}`);
    virsh("start", uuid, "--paused");
    const unknown = await refused(1, "ip", name, "--json");
    virsh("destroy", uuid);
    for (const asked of [/DHCP leases: none/, /the guest agent: \S+/, /ARP table: \S+/]) assert.match(unknown, asked);
    assert.ok(unknown.includes(`It is paused. Let it go on: vms start ${name}`), unknown);
  });

  it("screenshot: writes a PNG, over one of before, and over nothing else", async () => {
    const uuid = await makeOff(store, name);
    const file = join(store.settings.images, `${name}.png`);
    assert.match(await refused(1, "screenshot", name, file), /it is off\n {2}Start it: vms start /);
    virsh("start", uuid, "--paused");
    for (let turn = 0; turn < 2; turn += 1) {
      assert.equal(await done("screenshot", name, file), `${name}: ${file}`);
      assert.ok(isPng(readFileSync(file)));
    }
    const letter = join(store.settings.images, "letter.txt");
    writeFileSync(letter, "dear");
    assert.ok((await refused(2, "screenshot", name, letter)).includes(`${letter} is there already and is no PNG`));
    assert.equal(readFileSync(letter, "utf8"), "dear");
    const nowhere = join(store.settings.images, "nowhere", "a.png");
    assert.ok((await refused(2, "screenshot", name, nowhere)).includes(`${nowhere} cannot be written`));
    assert.match(await refused(2, "screenshot", name, store.settings.images), /cannot be written: EISDIR/);
    virsh("destroy", uuid);
    assert.deepEqual(
      readdirSync(store.settings.images).filter((one) => one.startsWith(`${name}.png`)),
      [`${name}.png`],
    );
  });

  it("ip and screenshot: say of one whose guest crashed what to do, and log shows what it said", async () => {
    const uuid = await makeOff(store, name);
    await panicGuest(store, uuid);
    for (const verb of ["ip", "screenshot"]) {
      const said = await refused(1, verb, name);
      assert.ok(said.includes(`its guest crashed\n  See why: vms log ${name}. Start it anew: vms start ${name}`), said);
    }
    virsh("destroy", uuid);
    appendFileSync(logOf(name), "\u001b[31mKernel panic\u001b[0m\n");
    assert.ok((await done("log", name)).endsWith("Kernel panic"));
  });

  it("log: follows until the VM is gone, and until Ctrl-C with status 130", async () => {
    const uuid = await makeOff(store, name);
    appendFileSync(logOf(name), "first\n");
    for (const end of ["Ctrl-C", "gone"] as const) {
      const env = { ...process.env, ...environmentOf(store.settings) };
      const child = spawn(process.execPath, [vmsProgram, "log", name, "-f"], {
        env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const said = { out: "", err: "" };
      child.stdout.on("data", (piece: Buffer) => (said.out += piece.toString()));
      child.stderr.on("data", (piece: Buffer) => (said.err += piece.toString()));
      await eventually(() => said.out.includes("first\n"), minute);
      appendFileSync(logOf(name), `until ${end}\n`);
      await eventually(() => said.out.includes(`until ${end}\n`), minute);
      if (end === "Ctrl-C") child.kill("SIGINT");
      else virsh("undefine", uuid, "--nvram");
      const [status] = (await once(child, "close")) as [number | null];
      assert.equal(status, end === "gone" ? 0 : 130, said.err);
      if (end === "gone") assert.equal(said.err.trim(), `${name} is gone`);
    }
  });

  it("log: follows until nobody can be told any more, and is not done where its output cannot be written", async () => {
    await makeOff(store, name);
    appendFileSync(logOf(name), "first\n");
    const env = { ...process.env, ...environmentOf(store.settings) };
    const full = openSync("/dev/full", "w");
    const follow = (out: "pipe" | number) =>
      spawn(process.execPath, [vmsProgram, "log", name, "-f"], { env, stdio: ["ignore", out, "ignore"] });
    const [left, lost] = [follow("pipe"), follow(full)];
    closeSync(full);
    left.stdout?.destroy();
    appendFileSync(logOf(name), "second\n");
    assert.deepEqual(await Promise.all([once(left, "close"), once(lost, "close")]), [
      [0, null],
      [1, null],
    ]);
  });

  it("log: shows the install that is made for a VM, by the VM's name before it is there, and by the install's", async () => {
    const vm = `${name}-vm`;
    await makeInstall(store, name, vm);
    assert.equal(await done("log", vm), "installing packages");
    assert.equal(await done("log", name), "installing packages");
    assert.match(await refused(1, "start", vm), /it is being made: what it stands on is installed first\n.*vms log/);
    const said = await refused(1, "start", name);
    assert.match(said, /it is no VM: an image is being made in it\n/);
    assert.ok(said.includes(`vms log ${name} --follow`), said);
  });

  for (const verb of ["ip", "log", "screenshot"]) {
    it(`${verb}: refuses what is not there, is not ours, is half-made or is no name, each with what to do`, async () => {
      assert.match(await refused(1, verb, name), /there is no VM of that name\n {2}.*vms list/);
      assert.match(await refused(2, verb, "Bad_Name"), /it is not a name that a VM can have/);
      const uuid = await makeOff(store, name);
      if (verb !== "log") {
        await leaveAt(uuid, "creating");
        assert.match(await refused(1, verb, name), /it is not whole: .*"creating"\n.*vms destroy/);
      }
      makeForeign(uuid);
      assert.match(await refused(1, verb, name), /the domain of that name is not ours/);
      virsh("undefine", uuid, "--nvram");
    });
  }
});
