/** The options that Pulumi has for every resource, on VMs that need no guest: one story, for each command is about several of them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findDomain } from "../../provider/libvirt/domain.js";
import { readsInside, topOf, writeInside } from "../support/disk-content.js";
import type { RunResult, Stack } from "../support/project.js";
import { openSmallScene, requireDomain, type SmallScene, smallClone, smallVm } from "../support/small-scene.js";
import { isoPath } from "../support/small-vm.js";
import { connection, removeDomain, virsh } from "../support/store.js";
import { storeDomains } from "../support/whole-store.js";
import { tellInOrder } from "../support/story.js";

describe("VMs with the options of Pulumi (real pulumi, no guest)", () => {
  tellInOrder();
  let scene: SmallScene;
  let stack: Stack;
  const uuids = new Map<string, string>();

  const named = (name: string): string => `vms-test-options-${process.pid}-${name}`;
  const idOf = (name: string): string => uuids.get(name) ?? "";
  const vm = (name: string, more = "", options = "", resource = name): string =>
    `const ${name} = ${smallVm(scene, resource, named(name), more, options)};`;
  const clone = (name: string, more = "", options = "", resource = name): string =>
    `const ${name} = ${smallClone(resource, named(name), `"${named("source")}"`, more, `dependsOn: source, ${options}`)};`;
  const succeed = async (result: Promise<RunResult>): Promise<string> => {
    const { status, output } = await result;
    assert.equal(status, 0, output);
    return output;
  };
  const fail = async (result: Promise<RunResult>): Promise<string> => {
    const { status, output } = await result;
    assert.notEqual(status, 0, output);
    return output;
  };
  const memoryOf = async (name: string): Promise<number> => (await requireDomain(named(name))).memory;
  /** It is the VM that it was, with what was on it. */
  const assertKept = async (...names: string[]): Promise<void> => {
    for (const name of names) {
      assert.equal((await requireDomain(named(name))).uuid, idOf(name), name);
      assert.ok(readsInside(topOf(idOf(name)), "0", "64k", 0x22), name);
    }
  };

  const all = ["source", "kept", "copy", "ignoring", "renewed", "below"];
  const first = (source = ""): string =>
    [
      vm("source", source),
      vm("kept", "", "retainOnDelete: true"),
      clone("copy", "", "retainOnDelete: true"),
      vm("ignoring", "", `ignoreChanges: ["memory"]`),
      vm("renewed", "", `replaceOnChanges: ["memory"]`),
      vm("below", "", "deletedWith: renewed"),
    ].join("\n");

  before(async () => {
    scene = await openSmallScene();
    stack = await scene.stack("options");
    stack.write(first());
    await succeed(stack.up());
    for (const name of all) {
      const { uuid } = await requireDomain(named(name));
      uuids.set(name, uuid);
      writeInside(topOf(uuid), "0", "64k", 0x22);
    }
  });

  after(async () => {
    for (const { uuid } of await storeDomains(scene.store.settings)) removeDomain(uuid);
  });

  it("are unchanged by another version of this package, other scripts for the guest, and another ISO at the same path", async () => {
    const installed = join(scene.project.directory, "node_modules/pulumi-vms");
    const files = [join(installed, "package.json"), join(installed, "guest/install.sh"), isoPath(scene.store.settings)];
    const before = files.map((path) => readFileSync(path));
    const xml = () => all.map((name) => virsh("dumpxml", "--inactive", idOf(name))).join();
    const [xmlBefore, hash] = [xml(), (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex")];
    const [manifest = "", script = "", iso = ""] = files;
    const isoHash = hash(iso);
    writeFileSync(manifest, readFileSync(manifest, "utf8").replace(/"version": "[^"]+"/, '"version": "99.0.0"'));
    writeFileSync(script, `${readFileSync(script, "utf8")}\n# another\n`);
    writeFileSync(iso, Buffer.concat([readFileSync(iso), Buffer.alloc(2048, 1)]));
    try {
      assert.notEqual(hash(iso), isoHash);
      await succeed(stack.preview("--expect-no-changes"));
      await succeed(stack.up("--refresh", "--expect-no-changes"));
      assert.equal(xml(), xmlBefore);
    } finally {
      files.forEach((path, index) => {
        writeFileSync(path, before[index] ?? "");
      });
    }
  });

  it("are what they were for a state of an older version, which is taken as it is by preview, refresh and update", async () => {
    const exported = JSON.parse(await stack.state()) as {
      deployment: { resources: { type: string; outputs?: Record<string, unknown>; inputs: Record<string, unknown> }[] };
    };
    const newer = ["schemaVersion", "phase", "base", "viewer", "domainName", "ownerLabel", "owner"];
    for (const { type, outputs = {}, inputs } of exported.deployment.resources) {
      if (!type.includes("dynamic/vms:")) continue;
      for (const name of newer) Reflect.deleteProperty(outputs, name);
      for (const name of ["timeouts", "acceleration", "pacmanCache", "autostart"]) {
        Reflect.deleteProperty(outputs, name);
        Reflect.deleteProperty(inputs, name);
      }
    }
    const file = join(stack.folder, "older.json");
    writeFileSync(file, JSON.stringify(exported));
    await succeed(stack.pulumi("stack", "import", "--file", file));
    await succeed(stack.preview("--expect-no-changes"));
    stack.write(first("cpus: 2"));
    const output = await succeed(stack.up("--target", "**::source"));
    assert.match(output, /~ 1 updated/);
    assert.equal((await requireDomain(named("source"))).cpus, 2);
    assert.ok((await stack.state()).includes('"schemaVersion": 1'));
    await succeed(stack.refresh());
    await assertKept(...all);
  });

  it("with ignoreChanges are left as they are, by the program and by hand, and change with --target only where that says", async () => {
    virsh("setmaxmem", idOf("ignoring"), "768MiB", "--config");
    virsh("setmem", idOf("ignoring"), "768MiB", "--config");
    stack.write(
      [
        vm("source", "memory: 600"),
        vm("kept", "memory: 600", "retainOnDelete: true"),
        clone("copy", "memory: 600", "retainOnDelete: true"),
        vm("ignoring", "memory: 600, autostart: true", `ignoreChanges: ["memory"]`),
        vm("renewed", "", `replaceOnChanges: ["memory"]`),
        vm("below", "", "deletedWith: renewed"),
      ].join("\n"),
    );
    await succeed(stack.up("--target", "**::ignoring", "--target", "**::copy"));
    assert.equal(await memoryOf("ignoring"), 768);
    assert.match(virsh("dominfo", idOf("ignoring")), /Autostart:\s+enable/);
    assert.equal(await memoryOf("copy"), 600);
    for (const name of ["source", "kept"]) assert.equal(await memoryOf(name), 512, name);
    await assertKept(...all);
  });

  it("with retainOnDelete stay when they are taken out, and are taken over when they are back", async () => {
    stack.write(
      [vm("source"), vm("renewed", "", `replaceOnChanges: ["memory"]`), vm("below", "", "deletedWith: renewed")].join(
        "\n",
      ),
    );
    const output = await succeed(stack.up());
    assert.match(output, /retain/);
    assert.equal(await findDomain(connection, idOf("ignoring")), undefined, "without the option it goes");
    await assertKept("kept", "copy");
    stack.write(
      [
        vm("source"),
        vm("kept", "memory: 700"),
        clone("copy", "memory: 700"),
        vm("renewed", "", `replaceOnChanges: ["memory"]`),
        vm("below", "", "deletedWith: renewed"),
      ].join("\n"),
    );
    assert.match(await succeed(stack.up()), /made by this very resource: it is taken over/);
    await assertKept("kept", "copy");
    for (const name of ["kept", "copy"]) assert.equal(await memoryOf(name), 700);
  });

  it("with an alias keep their VM under another name of the resource, and their mark follows with the next change", async () => {
    const program = (more: string): string =>
      [
        vm("source"),
        vm("kept", more, `aliases: [{ name: "kept" }], protect: true`, "other"),
        clone("copy", more, `aliases: [{ name: "copy" }], protect: true`, "others"),
        vm("renewed", "", `replaceOnChanges: ["memory"]`),
        vm("below", "", "deletedWith: renewed"),
      ].join("\n");
    stack.write(program("memory: 700"));
    const output = await succeed(stack.up("--refresh"));
    assert.equal(/created|replaced|deleted/.test(output), false, output);
    stack.write(program("memory: 720"));
    await succeed(stack.up());
    await assertKept("kept", "copy");
    for (const [name, resource] of [
      ["kept", "::other)"],
      ["copy", "::others)"],
    ] as const) {
      assert.equal(await memoryOf(name), 720);
      assert.ok((await requireDomain(named(name))).mark?.owner.label.endsWith(resource), name);
    }
  });

  it("with protect are neither deleted nor replaced", async () => {
    // One is to be replaced, the other one is taken out.
    stack.write(
      [
        vm("source"),
        vm("kept", `memory: 720, ...{ user: "ada" }`, "protect: true", "other"),
        vm("renewed", "", `replaceOnChanges: ["memory"]`),
        vm("below", "", "deletedWith: renewed"),
      ].join("\n"),
    );
    assert.match(await fail(stack.up()), /protect/);
    await assertKept("kept", "copy");
  });

  it("with replaceOnChanges are made anew for that change, the old one first, and with deletedWith stay when the other one goes", async () => {
    const program = (renewed: string): string =>
      [vm("source"), vm("kept", "memory: 720", "", "other"), clone("copy", "memory: 720", "", "others"), renewed].join(
        "\n",
      );
    const options = `replaceOnChanges: ["memory"]`;
    stack.write(program(`${vm("renewed", "memory: 640", options)} ${vm("below", "", "deletedWith: renewed")}`));
    await succeed(stack.up());
    const renewed = await requireDomain(named("renewed"));
    assert.notEqual(renewed.uuid, idOf("renewed"));
    assert.equal(renewed.memory, 640);
    assert.equal(await findDomain(connection, idOf("renewed")), undefined);
    stack.write(program(""));
    await succeed(stack.up());
    assert.equal(await findDomain(connection, named("renewed")), undefined);
    assert.ok(await findDomain(connection, named("below")), "Pulumi takes it to be gone with the other one");
  });

  it("are found gone after vms destroy --force, which is refused without it, with the owner's name", async () => {
    const refused = await scene.vms("destroy", named("kept"), "--yes");
    assert.equal(refused.status, 1);
    const owner = "it belongs to the stack dev of e2e \\(urn:pulumi:dev::e2e::[^)]*::other\\)";
    assert.match(refused.stderr, new RegExp(`^Cannot delete VM "${named("kept")}": ${owner}; it was left alone`));
    assert.match(refused.stderr, /--force deletes it and its disk all the same; its stack is not asked/);
    await assertKept("kept");
    const disk = topOf(idOf("kept"));
    const unconfirmed = await scene.vms("destroy", named("kept"), "--force");
    assert.equal(unconfirmed.status, 2, unconfirmed.stderr);
    const { status, stdout, stderr } = await scene.vms("destroy", named("kept"), "--yes", "--force");
    assert.equal(status, 0, stderr);
    assert.match(
      stdout,
      /the stack dev of e2e \(.*\) finds it gone at its next pulumi refresh, or pulumi up --refresh/,
    );
    assert.equal(existsSync(disk), false);
    assert.match(await succeed(stack.up("--refresh")), /\+ 1 created/);
    assert.notEqual((await requireDomain(named("kept"))).uuid, idOf("kept"));
  });

  it("leave nothing when the stack is destroyed but what it no longer counted as its own", async () => {
    await succeed(stack.destroy());
    const left = (await storeDomains(scene.store.settings)).filter(({ name }) => name.includes("-options-"));
    assert.deepEqual(
      left.map(({ name }) => name),
      [named("below")],
    );
    // What nobody has a record of is the command line's to remove.
    const { status, stderr } = await scene.vms("destroy", named("below"), "--yes", "--force");
    assert.equal(status, 0, stderr);
  });
});
