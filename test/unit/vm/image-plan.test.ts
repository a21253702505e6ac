import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../../provider/progress.js";
import { type ImagePlan, planImage, profilesOf } from "../../../provider/vm/image-plan.js";
import type { VmSpec } from "../../../provider/vm/spec.js";
import { smallSpec, writeEmptyIso } from "../../support/small-vm.js";

describe("the plan of an image", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "vms-plan-"));
    writeEmptyIso(settings());
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  const settings = () => ({ images: root, iso: root, filesystems: root, pkgCache: root });

  const plan = (changes: Partial<VmSpec> = {}): Promise<ImagePlan> =>
    planImage(smallSpec(settings(), "any", changes), { settings: settings(), progress: silent });

  function bring(text: string, name = "mine.sh"): string {
    const path = join(root, name);
    writeFileSync(path, `#!/bin/bash\n${text}`);
    return path;
  }

  const onMinimal = (text: string, name?: string) => bring(`# vms-base: minimal\n${text}`, name);
  /** Of the image and all below it. */
  const keysOf = ({ layer }: Pick<ImagePlan, "layer">): string[] => [
    layer.key,
    ...(layer.below === undefined ? [] : keysOf({ layer: layer.below })),
  ];

  it("is one image where the profile is made on none, and knows all that is in it", async () => {
    const { layer } = await plan({ packages: ["vim"] });
    assert.deepEqual([layer.below, layer.recipe.base, layer.recipe.packages], [undefined, undefined, ["vim"]]);
    assert.equal((await plan({ packages: ["vim"] })).layer.key, layer.key);
    for (const change of [{ packages: ["git"] }, { mirror: "http://other/$repo/$arch" }, { profile: bring("") }])
      assert.notEqual((await plan(change)).layer.key, layer.key);
  });

  it("is an image on another one where the profile is made on another one, which every VM of it shares", async () => {
    const { layer } = await plan({ profile: onMinimal("echo one\n"), packages: ["vim"] });
    const minimal = (await plan()).layer.key;
    assert.equal(layer.below?.key, minimal, "it is the image of the profile minimal, without the packages");
    assert.deepEqual([layer.recipe.base, layer.recipe.packages], [minimal, ["vim"]]);
    assert.deepEqual(
      profilesOf(layer).map(({ own }) => own),
      [false, true],
    );
    const other = (await plan({ profile: onMinimal("echo two\n") })).layer;
    assert.equal(other.below?.key, minimal);
    assert.notEqual(other.key, layer.key);
  });

  it("has another key at the top where anything below is another", async () => {
    const profile = onMinimal("");
    const keys = keysOf(await plan({ profile }));
    const others = keysOf(await plan({ profile, mirror: "http://other/$repo/$arch" }));
    assert.deepEqual([keys.length, new Set([...keys, ...others]).size], [2, 4]);
  });

  it("knows a script of the user's own by what it says, and not by where it lies", async () => {
    const one = keysOf(await plan({ profile: onMinimal("echo", "one.sh") }));
    assert.deepEqual(keysOf(await plan({ profile: onMinimal("echo", "other.sh") })), one);
    assert.notDeepEqual(keysOf(await plan({ profile: onMinimal("true", "one.sh") })), one);
  });
});
