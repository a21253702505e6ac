/** What somebody changes by hand, with virsh, in the VMs of a stack: one story, for each of its commands is about all of them. No guest. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Domain, startsWithHost } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import type { RunResult, Stack } from "../support/project.js";
import { openSmallScene, requireDomain, type SmallScene, smallClone, smallVm } from "../support/small-scene.js";
import { connection, removeDomain, virsh } from "../support/store.js";
import { storeDomains } from "../support/whole-store.js";
import { tellInOrder } from "../support/story.js";

/** Each is changed in its own way; the resource's name says how. */
const resources = [
  "resized",
  "paused",
  "wanted",
  "renamed",
  "followed",
  "running",
  "extended",
  "diskless",
  "mended",
  "copied",
  "removed",
] as const;

type Name = (typeof resources)[number];

describe("VMs of a stack that somebody has changed by hand (real pulumi, no guest)", () => {
  tellInOrder();
  let scene: SmallScene;
  let stack: Stack;
  let preview: string;
  let said: string;
  const uuids = new Map<Name, string>();
  const disks = new Map<Name, string>();

  const named = (name: Name): string => `vms-test-drift-${process.pid}-${name}`;
  const idOf = (name: Name): string => uuids.get(name) ?? "";
  const diskOf = (name: Name): string => disks.get(name) ?? "";
  const domainOf = (name: Name): Promise<Domain> => requireDomain(idOf(name));
  const program = (changes: Partial<Record<Name, string>> = {}): string =>
    resources
      .map((name) =>
        name === "copied"
          ? `${smallClone(name, named(name), "resized")};`
          : `const ${name} = ${smallVm(scene, name, named(name), changes[name])};`,
      )
      .join("\n");
  const succeed = async (result: Promise<RunResult>): Promise<string> => {
    const { status, output } = await result;
    assert.equal(status, 0, output);
    return output;
  };
  const stateOf = async (name: Name): Promise<Record<string, unknown>> => {
    const { deployment } = JSON.parse(await stack.state()) as {
      deployment: { resources: { urn: string; outputs: Record<string, unknown> }[] };
    };
    return deployment.resources.find(({ urn }) => urn.endsWith(`::${name}`))?.outputs ?? {};
  };
  /** What stands in the output about one resource. */
  const about = (name: Name, output: string): string => {
    const blocks = output.split(/^ {2}(?=pulumi-nodejs:)/m);
    return blocks.filter((block) => block.split("\n")[0]?.includes(`(${name})`)).join("\n");
  };

  before(async () => {
    scene = await openSmallScene();
    stack = await scene.stack("drift");
    stack.write(program());
    await succeed(stack.up());
    for (const name of resources) {
      const { uuid } = await requireDomain(named(name));
      uuids.set(name, uuid);
      disks.set(name, topOf(uuid));
      if (name !== "copied") writeInside(topOf(uuid), "0", "64k", 0x22);
    }
  });

  after(async () => {
    for (const { uuid } of await storeDomains(scene.store.settings)) removeDomain(uuid);
  });

  it("are told as they are by a refresh", async () => {
    virsh("setmaxmem", idOf("resized"), "768MiB", "--config");
    virsh("setmem", idOf("resized"), "640MiB", "--config");
    virsh("setvcpus", idOf("resized"), "3", "--config", "--maximum");
    virsh("setvcpus", idOf("resized"), "2", "--config");
    virsh("autostart", idOf("resized"));
    for (const name of ["paused", "wanted"] as const) {
      virsh("start", idOf(name));
      virsh("suspend", idOf(name));
    }
    virsh("autostart", idOf("renamed"));
    for (const name of ["renamed", "followed", "running"] as const) virsh("domrename", idOf(name), `${named(name)}-x`);
    virsh("start", idOf("running"));
    virsh("attach-device", idOf("extended"), deviceFile(scene), "--config");
    for (const name of ["diskless", "copied"] as const) rmSync(diskOf(name));
    renameSync(diskOf("mended"), `${diskOf("mended")}.away`);
    virsh("undefine", idOf("removed"), "--nvram");
    const output = await succeed(stack.refresh());
    const { memory, cpus, autostart } = await stateOf("resized");
    assert.deepEqual({ memory, cpus, autostart }, { memory: 640, cpus: 2, autostart: true });
    assert.equal((await stateOf("paused"))["state"], "paused");
    assert.equal((await stateOf("running"))["state"], "running");
    const renamed = await stateOf("renamed");
    assert.deepEqual([renamed["name"], renamed["domainName"]], [named("renamed"), `${named("renamed")}-x`]);
    for (const name of ["diskless", "copied", "mended"] as const) assert.equal((await stateOf(name))["phase"], "lost");
    assert.deepEqual(await stateOf("removed"), {}, "it is in the state no more");
    assert.match(
      output,
      new RegExp(
        `The domain of "${named("removed")}" is gone, but its disk is left, and nothing removes it: ${diskOf("removed")}`,
      ),
    );
  });

  it("are never to be replaced, and a preview says what is to be done about each", async () => {
    renameSync(`${diskOf("mended")}.away`, diskOf("mended"));
    stack.write(
      program({
        resized: "autostart: false",
        paused: "running: undefined",
        wanted: "running: true",
        running: "running: undefined",
        followed: `...{ name: "${named("followed")}-x" }`,
        extended: "memory: 768",
      }),
    );
    preview = await succeed(stack.preview());
    assert.equal(/replace/.test(preview), false, preview);
    assert.match(preview, /\+ 1 to create/);
    const expected: Partial<Record<Name, RegExp>> = {
      renamed: new RegExp(`libvirt calls it ${named("renamed")}-x: it is named ${named("renamed")} again, in place`),
      followed: /libvirt calls it so already/,
      running: /it is named .* again, when it is off/,
      diskless: new RegExp(`its disk ${diskOf("diskless")} is gone: it is made again, nothing is left of its data`),
      copied: /is made again from its source as it is now, nothing is left of its data/,
      extended: /memory 512 -> 768/,
      wanted: /running false -> true/,
    };
    for (const [name, line] of Object.entries(expected)) assert.match(about(name as Name, preview), line);
    const resized = about("resized", preview);
    for (const line of [/memory 640 -> 512/, /cpus 2 -> 1/, /autostart true -> false/]) assert.match(resized, line);
    said = await succeed(stack.up());
  });

  it("get back what the program says of memory, cpus and autostart, and keep the room that was made for more", async () => {
    const { memory, mostMemory, cpus, mostCpus } = await domainOf("resized");
    assert.deepEqual([memory, mostMemory, cpus, mostCpus], [512, 768, 1, 3]);
    assert.equal(await startsWithHost(connection, idOf("resized")), false);
  });

  it("are left as they run where the program does not say it, and go on where it does", () => {
    assert.equal(virsh("domstate", idOf("paused")), "paused");
    assert.equal(virsh("domstate", idOf("wanted")), "running");
  });

  it("get their name back with all that is on them, or keep the one that the program has taken on", async () => {
    assert.equal((await domainOf("renamed")).name, named("renamed"));
    assert.equal(await startsWithHost(connection, idOf("renamed")), true, "what was set of it goes along");
    assert.equal((await domainOf("followed")).name, `${named("followed")}-x`);
    for (const name of ["renamed", "followed"] as const) {
      assert.equal(topOf(idOf(name)), diskOf(name));
      assert.ok(readsInside(diskOf(name), "0", "64k", 0x22));
    }
  });

  it("keep a device that was added when their memory is changed", async () => {
    assert.match(virsh("dumpxml", "--inactive", idOf("extended")), /<watchdog/);
    assert.equal((await domainOf("extended")).memory, 768);
  });

  it("that have lost their disk are made again under their UUID, a clone from its source, and one whose disk came back is as it was", async () => {
    assert.match(about("diskless", said), /it is made again, with nothing of its data/);
    for (const name of ["diskless", "copied"] as const) {
      assert.equal((await domainOf(name)).name, named(name));
      assert.notEqual(topOf(idOf(name)), diskOf(name));
    }
    assert.ok(readsInside(topOf(idOf("diskless")), "0", "64k", 0x11), "it is the image again");
    assert.ok(readsInside(topOf(idOf("copied")), "0", "64k", 0x22), "it is its source again");
    assert.equal(topOf(idOf("mended")), diskOf("mended"));
    assert.ok(readsInside(diskOf("mended"), "0", "64k", 0x22));
  });

  it("whose domain was removed are made anew beside their old disk", async () => {
    assert.notEqual((await requireDomain(named("removed"))).uuid, idOf("removed"));
    assert.ok(readsInside(diskOf("removed"), "0", "64k", 0x22), "what was on it is there");
  });

  it("keep the other name while they run, which is said, and get their own when they are off", async () => {
    const name = "running";
    assert.match(about(name, said), /and it runs: it can be named ".*" again only when it is off/);
    assert.equal((await domainOf(name)).name, `${named(name)}-x`);
    for (const one of ["running", "paused", "wanted"] as const) virsh("destroy", idOf(one));
    const output = await succeed(stack.up("--target", `**::${name}`));
    assert.match(output, /~ 1 updated/);
    assert.equal((await domainOf(name)).name, named(name));
  });

  it("leave nothing of their own behind in the end, and what belongs to none of them where it is", async () => {
    virsh("undefine", idOf("mended"), "--nvram");
    const output = await succeed(stack.destroy());
    assert.match(output, new RegExp(`its disk is left, and nothing removes it: ${diskOf("mended")}`));
    const { disk, base, nvram } = storePaths(scene.store.settings);
    const left = [disk, base, nvram].flatMap((directory) =>
      readdirSync(directory).map((file) => join(directory, file)),
    );
    assert.deepEqual(left.sort(), [diskOf("mended"), diskOf("removed")].sort());
    for (const path of left) rmSync(path);
    assert.equal(existsSync(diskOf("removed")), false);
  });
});

function deviceFile({ store }: SmallScene): string {
  const path = join(store.settings.images, "watchdog.xml");
  writeFileSync(path, `<watchdog model="i6300esb" action="none"/>`);
  return path;
}
