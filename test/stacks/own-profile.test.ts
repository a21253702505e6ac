/** A profile that is a script of the user's own, by a real pulumi: its image is there already, so it is not run. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { backingChain } from "../../provider/storage/chain.js";
import { listSharedFiles } from "../../provider/storage/usage.js";
import { topOf } from "../support/disk-content.js";
import type { RunResult, Stack } from "../support/project.js";
import { openSmallScene, requireDomain, type SmallScene, smallVm } from "../support/small-scene.js";
import { publishOnSmallImage, smallSpec } from "../support/small-vm.js";
import { removeDomain } from "../support/store.js";
import { storeDomains } from "../support/whole-store.js";
import { tellInOrder } from "../support/story.js";

const script = "#!/bin/bash\n# vms-base: minimal\necho mine\n";

describe("a VM whose profile is a script of the user's own (real pulumi, no guest)", () => {
  tellInOrder();
  let scene: SmallScene;
  let stack: Stack;
  /** Outside of the program. */
  let elsewhere: string;
  let uuid: string;
  const name = `vms-test-own-${process.pid}`;

  const use = (profile: string): void => {
    stack.write(`import { resolve } from "node:path";\n${smallVm(scene, "vm", name, `profile: ${profile}`)}`);
  };
  const put = (text: string, file = "mine.sh"): string => {
    const path = join(stack.folder, "program", file);
    writeFileSync(path, text);
    return path;
  };
  const succeed = async (result: Promise<RunResult>): Promise<string> => {
    const { status, output } = await result;
    assert.equal(status, 0, output);
    return output;
  };
  const unchanged = () => succeed(stack.preview("--expect-no-changes"));

  before(async () => {
    scene = await openSmallScene();
    stack = await scene.stack("own-profile");
    elsewhere = mkdtempSync(join(scene.project.directory, "elsewhere-"));
    // The directory of the program is not that of the project.
    mkdirSync(join(stack.folder, "program"));
    writeFileSync(join(stack.folder, "program/index.ts"), `import "../index";\n`);
    writeFileSync(join(stack.folder, "Pulumi.yaml"), "name: e2e\nruntime: nodejs\nmain: program/index.ts\n");
    const profile = put(script);
    const { settings, context } = scene.store;
    const [small] = (await listSharedFiles(settings)).filter((file) => file.profile === "minimal");
    assert.ok(small);
    await publishOnSmallImage(smallSpec(settings, name, { profile }), small.path, 0x22, context);
  });
  after(async () => {
    for (const domain of await storeDomains(scene.store.settings)) removeDomain(domain.uuid);
  });

  it("finds it from the directory of the program, and keeps in its state no path of this machine to it", async () => {
    use(`"./mine.sh"`);
    await succeed(stack.up());
    uuid = (await requireDomain(name)).uuid;
    assert.equal((await backingChain(topOf(uuid))).length, 3, "its image stands on that of minimal");
    const state = await stack.state();
    assert.match(state, /"profile": "\.\/mine\.sh"/);
    assert.doesNotMatch(state, /program\/mine\.sh/);
    await unchanged();
  });

  it("is the same by another path, be it absolute or outside of the program: the script counts", async () => {
    use(`resolve("mine.sh")`);
    await unchanged();
    const moved = join(elsewhere, "moved.sh");
    renameSync(join(stack.folder, "program/mine.sh"), moved);
    use(JSON.stringify(moved));
    await unchanged();
    renameSync(moved, join(stack.folder, "program/mine.sh"));
  });

  it("is left as it is where the script says something else, and the preview says so", async () => {
    use(`"./mine.sh"`);
    put(`${script}echo more\n`);
    const said =
      /the script \.\/mine\.sh has changed: recorded; it matters at an install only, nothing is done to this VM/;
    assert.match(await succeed(stack.preview()), said);
    assert.match(await succeed(stack.up()), said);
    assert.equal((await requireDomain(name)).uuid, uuid);
    await unchanged();
  });

  it("is replaced where another script is named", async () => {
    put("#!/bin/sh\n", "other.sh");
    use(`"./other.sh"`);
    const shown = await succeed(stack.preview());
    assert.match(shown, /profile \.\/mine\.sh -> \.\/other\.sh: a new VM is made, the data of the old one is lost/);
    assert.match(shown, /1 to replace/);
  });

  it("is refused at preview, under the property, where the script is not there or cannot be one", async () => {
    for (const [text, why] of [
      ["echo\n", /does not begin with a line such as/],
      ["#!/bin/sh\n# vms-base: nonesuch\n", /its line "# vms-base: nonesuch" in \.\/other\.sh cannot be followed/],
      [undefined, /"[^"]*\/own-profile\/program\/other\.sh" does not exist/],
    ] as const) {
      if (text === undefined) rmSync(join(stack.folder, "program/other.sh"));
      else put(text, "other.sh");
      const { status, output } = await stack.preview();
      assert.notEqual(status, 0);
      assert.match(output, why);
      assert.match(output, /property profile/);
    }
    assert.equal((await requireDomain(name)).uuid, uuid);
    use(`"./mine.sh"`);
    await succeed(stack.destroy());
  });
});
