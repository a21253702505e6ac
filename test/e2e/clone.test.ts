/** A VM and its clones, as one story: each test goes on where the one before it ended. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "../../provider/paths.js";
import { identityService } from "../../provider/vm/identity.js";
import { backingChain } from "../../provider/storage/chain.js";
import { checkImage } from "../../provider/storage/qemu-img.js";
import { inGuest } from "../support/guest.js";
import type { Stack } from "../support/project.js";
import { virsh } from "../support/store.js";
import { eventually, minute, openScene, type Scene, vmProgram } from "../support/scene.js";
import { tellInOrder } from "../support/story.js";
import { outcomesOf, vmsOn } from "../support/vms-command.js";

const names = { work: `vms-e2e-work-${process.pid}`, copy: `vms-e2e-copy-${process.pid}` };

/** Appends a number and the time in milliseconds every 50 ms, each on disk before the next. */
const writer = `for ((i = 0; ; i++)); do echo "$i $(date +%s%3N)" >>/root/beats; sync /root/beats; sleep 0.05; done`;

describe("a VmClone of a VM that runs", function () {
  this.timeout(40 * minute);
  tellInOrder();
  let scene: Scene;
  let stack: Stack;

  const work = () =>
    `const work = ${vmProgram(scene, "work", `name: ${JSON.stringify(names.work)}, hostname: "work"`)};`;
  const copy = (more = "") =>
    `const copy = new VmClone("copy", { source: work, name: ${JSON.stringify(names.copy)}, ${more} });
     export const { uuid, mac, ipAddress, state, diskPath, base } = copy; export const workUuid = work.uuid;`;
  const uuids = async () => {
    const { uuid, workUuid } = await stack.outputs();
    return { copy: String(uuid), work: String(workUuid) };
  };
  const bases = () => readdirSync(storePaths(scene.settings).base);
  const succeed = async (...args: string[]): Promise<string> => {
    const { status, output } = await stack.up(...args);
    assert.equal(status, 0, output);
    return output;
  };

  before(async () => {
    scene = await openScene();
    await scene.prepareHost();
    stack = await scene.stack("clones");
    stack.write(`${work()} export const workUuid = work.uuid;`);
    await succeed();
  });

  it("is ready with what its source had, while a writer in the source goes on and loses nothing", async () => {
    const source = String((await stack.outputs())["workUuid"]);
    await inGuest(source, `echo before >/root/note; nohup bash -c '${writer}' >/dev/null 2>&1 & echo $! >/run/writer`);
    stack.write(work() + copy());
    const output = await succeed();
    assert.equal(/not quiesced/.test(output), false, output);
    await inGuest(source, "kill $(cat /run/writer); sync");
    const beats = (await inGuest(source, "cat /root/beats")).split("\n").map((line) => line.split(" ").map(Number));
    assert.deepEqual(
      beats.map(([number]) => number),
      beats.map((_, index) => index),
      "no beat is missing",
    );
    const { copy: clone } = await uuids();
    assert.equal(await inGuest(clone, "cat /root/note"), "before");
    const frozen = (await inGuest(clone, "cat /root/beats")).split("\n").length;
    assert.ok(frozen > 0 && frozen < beats.length, `${frozen} of ${beats.length} beats were there when it was frozen`);
    const longest = (some: number[][]) =>
      Math.max(...some.slice(1).map(([, at = 0], index) => at - (some[index]?.[1] ?? 0)));
    // A figure to look at: how long is too long depends on the host.
    console.log(
      `        the writer paused for ${longest(beats)} ms at most; before it was frozen, for ${longest(beats.slice(0, frozen))} ms`,
    );
  });

  it("has an identity of its own, without another boot", async () => {
    const { copy: clone, work: source } = await uuids();
    for (const command of [
      "cat /etc/machine-id",
      "cat /proc/sys/kernel/hostname",
      "cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub",
      "cat /sys/class/net/eth0/address",
      "cat /sys/class/dmi/id/product_uuid",
    ]) {
      const [one, other] = [await inGuest(clone, command), await inGuest(source, command)];
      assert.notEqual(one, "");
      assert.notEqual(one, other, command);
    }
    assert.equal(await inGuest(clone, "cat /proc/sys/kernel/hostname"), names.copy);
    assert.equal(await inGuest(clone, "journalctl --list-boots --no-pager --quiet | grep -cE '^ *-?[0-9]+ '"), "1");
    assert.equal(await inGuest(clone, "systemctl --failed --no-legend --plain"), "");
  });

  it("is unchanged by a second up", async () => {
    await succeed("--expect-no-changes");
  });

  it("of a system without our identity service says so, and has what was written a moment ago and is not on the disk yet", async () => {
    const { work: source } = await uuids();
    const [before, name] = [bases().length, `${names.copy}-late`];
    await inGuest(source, `mv ${identityService} ${identityService}.away; echo late >/root/late`);
    const vms = vmsOn(scene.settings);
    const { status, stderr } = await vms("clone", names.work, name);
    await inGuest(source, `mv ${identityService}.away ${identityService}`);
    assert.equal(status, 0, stderr);
    assert.match(
      stderr,
      /does not have our identity service any more: its host name, machine-id and SSH host keys are its source's/,
    );
    assert.equal(bases().length, before + 1);
    assert.equal(await inGuest(name, "cat /root/late; uname -n"), "late\nwork");
    await outcomesOf(vms).done("destroy", name, "--yes");
  });

  it("changes in place what differs from its source, and says so", async () => {
    stack.write(work() + copy(`memory: 1536, cpus: 1, autostart: true, disk: "24G"`));
    const { output } = await stack.preview("--diff");
    assert.match(output, /~ 1 to update/);
    await succeed();
    const { copy: clone, work: source } = await uuids();
    assert.match(virsh("dominfo", clone), /Autostart:\s+enable/);
    const gib = Number(await inGuest(clone, "df --output=size -BM / | tail -1 | tr -dc 0-9")) / 1024;
    assert.ok(gib > 22, `the root file system has ${gib} GiB of a disk of 24`);
    assert.match(virsh("dominfo", source), /Autostart:\s+disable/);
    await succeed("--expect-no-changes");
  });

  it("and its source keep what each writes to itself, through a stop and a start of both", async () => {
    const { copy: clone, work: source } = await uuids();
    await inGuest(clone, "echo clone >/root/note; sync");
    await inGuest(source, "echo source >/root/note; sync");
    const all = (running: boolean) =>
      work().replace(/ \}\);$/, `, running: ${String(running)} });`) +
      copy(`memory: 1536, cpus: 1, autostart: true, disk: "24G", running: ${String(running)}`);
    stack.write(all(false));
    await succeed();
    for (const uuid of [clone, source]) {
      const disk = virsh("domblklist", "--inactive", uuid).split(/\s+/).at(-1) ?? "";
      for (const { path } of await backingChain(disk)) await checkImage(path);
    }
    stack.write(all(true));
    await succeed();
    assert.equal(await inGuest(clone, "cat /root/note; nproc"), "clone\n1");
    assert.equal(await inGuest(source, "cat /root/note"), "source");
  });

  it("lives on, and is not replaced, when its source is deleted", async () => {
    const { copy: clone } = await uuids();
    stack.write(
      copy()
        .replace("source: work", `source: ${JSON.stringify(names.work)}`)
        .replace(/ export const workUuid.*/, ""),
    );
    const output = await succeed();
    assert.match(output, /- 1 deleted/);
    // A slow host may take longer over it than the grace: what counts is that it says which it was.
    assert.match(output, /it powered off \(asked by its guest agent|it did not power off within \d+ s/);
    assert.equal((await stack.outputs())["uuid"], clone);
    assert.equal(await inGuest(clone, "cat /root/note"), "clone");
    assert.equal(bases().length, 1, "what it stands on is kept");
  });

  it("takes its base with it when it is the last that stands on it", async () => {
    const [clone] = await scene.domains();
    // An agent that answers and cannot do it: the power button is what is left.
    await inGuest(clone?.uuid ?? "", "ln -sf /bin/true /sbin/shutdown");
    const { status, output } = await stack.destroy();
    assert.equal(status, 0, output);
    assert.match(output, /it powered off \(asked by its guest agent, then by ACPI\)|it did not power off within \d+ s/);
    await eventually(
      async () => (await scene.domains()).every(({ name }) => !Object.values(names).includes(name)),
      minute,
    );
    assert.deepEqual(bases(), []);
    assert.equal(readdirSync(join(storePaths(scene.settings).lock)).length, 0, "no lock is left");
  });
});
