import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silent } from "../../../provider/progress.js";
import { type ImagePlan, planImage, topOf } from "../../../provider/vm/image-plan.js";
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
  const keysOf = ({ layers }: ImagePlan) => layers.map(({ key }) => key);

  it("is one image where the profile is made on none, and knows all that is in it", async () => {
    const { layers } = await plan({ packages: ["vim"] });
    assert.equal(layers.length, 1);
    assert.deepEqual([layers[0].recipe.packages, layers[0].recipe.base], [["vim"], undefined]);
    assert.deepEqual(keysOf(await plan({ packages: ["vim"] })), keysOf({ layers } as ImagePlan));
    for (const change of [{ packages: ["git"] }, { mirror: "http://other/$repo/$arch" }, { profile: bring("") }])
      assert.notDeepEqual(keysOf(await plan(change)), keysOf({ layers } as ImagePlan));
  });

  it("is an image on another one where the profile is made on another one, which every VM of it shares", async () => {
    const { layers } = await plan({ profile: onMinimal("echo one\n"), packages: ["vim"] });
    const [base, top] = layers;
    assert.equal(layers.length, 2);
    assert.equal(base.key, topOf(await plan()).key, "it is the image of the profile minimal, without the packages");
    assert.deepEqual([top?.recipe.base, top?.recipe.packages], [base.key, ["vim"]]);
    const other = await plan({ profile: onMinimal("echo two\n") });
    assert.equal(other.layers[0].key, base.key);
    assert.notEqual(topOf(other).key, top?.key);
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
