/** The two commands of the README, typed in a clean clone. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { packageFiles } from "../../provider/paths.js";
import { domainXml, minute, openScene, type Scene } from "../support/scene.js";
import { tellInOrder } from "../support/story.js";

describe("./vms demo in a clean clone", function () {
  this.timeout(40 * minute);
  tellInOrder();
  let scene: Scene;
  let clone: string;

  before(async function () {
    if (!existsSync(join(packageFiles.root, ".git"))) this.skip();
    scene = await openScene();
    clone = join(scene.project.directory, "clone");
    execFileSync("git", ["clone", "--quiet", packageFiles.root, clone]);
    // The demo serves its own mirror.
    await scene.standIn.close();
  });
  after(async () => {
    await scene.standIn.open();
  });

  const vms = async (...args: string[]) => {
    const env = { ...scene.environment, PULUMI_ACCESS_TOKEN: undefined, PULUMI_BACKEND_URL: undefined };
    const { exitCode, all } = await execa(join(clone, "vms"), args, {
      cwd: clone,
      env,
      all: true,
      reject: false,
      stdin: "ignore",
    });
    return { status: exitCode ?? -1, output: all };
  };

  it("ends with a running VM, and tells its state, its console, how to remove it, and how long each part took", async () => {
    const { status, output } = await vms("demo");
    assert.equal(status, 0, output);
    assert.match(output, /running/);
    assert.match(output, /Console +\.\/vms console vms-demo/);
    assert.match(output, /\.\/vms demo --down/);
    assert.match(output, /Time taken:\n(.* s\n)+/);
    const demo = (await scene.domains()).find(({ name }) => name === "vms-demo");
    assert.ok(demo);
    const xml = domainXml(demo.uuid);
    assert.match(xml, /<vms:vm [^>]*phase="ready"/);
    for (const leftover of [".iso", "<kernel>"]) assert.equal(xml.includes(leftover), false, leftover);
  });

  it("changes nothing when it is run again", async () => {
    const { status, output } = await vms("demo");
    assert.equal(status, 0, output);
    assert.match(output, /3 unchanged/);
  });

  it("is a stack that vms up changes as pulumi up does", async () => {
    const set = await vms("pulumi", "config", "set", "vms:memory", "1280");
    assert.equal(set.status, 0, set.output);
    const { status, output } = await vms("up", "--yes");
    assert.equal(status, 0, output);
    assert.match(output, /memory \d+ -> 1280/);
    assert.match(output, /~ 1 updated/);
  });

  it("is taken down with its VM; the image stays", async () => {
    const { status, output } = await vms("demo", "--down");
    assert.equal(status, 0, output);
    assert.equal(
      (await scene.domains()).some(({ name }) => name === "vms-demo"),
      false,
    );
    assert.ok(scene.files().some((name) => name.endsWith(".json")));
  });
});
