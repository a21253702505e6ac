import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { commandOf, limitsOf, type Step, steps, unpacking } from "../../../provider/install/steps.js";
import { packageFiles } from "../../../provider/paths.js";

function stepNamed(name: string): Step {
  const found = steps.find((step) => step.name === name);
  assert.ok(found, `there is a step ${name}`);
  return found;
}

describe("steps of an install", () => {
  for (const [where, script] of [
    ["iso", "install.sh"],
    ["disk", "finish.sh"],
  ] as const) {
    it(`are those of the guest's ${script}, in their order`, () => {
      const bash = readFileSync(join(packageFiles.guest, script), "utf8");
      const known = /^run_step "\$\{1:-\}" (.+)$/m.exec(bash)?.[1]?.split(" ");
      assert.deepEqual(
        steps.filter((step) => step.where === where).map((step) => step.name),
        known,
      );
    });
  }

  it("are each a line for the script of their boot", () => {
    assert.equal(commandOf(stepNamed("packages")), "bash /run/vms/install.sh packages");
    assert.equal(commandOf(stepNamed("seal")), "bash /run/vms/finish.sh seal");
    assert.match(commandOf(unpacking("iso")), /tar -xf \/dev\/disk\/by-id\/virtio-vms-payload -C \/run\/vms$/);
  });
});

describe("limits of a boot", () => {
  it("are longer without hardware acceleration", () => {
    const [slow, fast] = [limitsOf("tcg"), limitsOf("kvm")];
    assert.ok(slow.boot > fast.boot && slow.login > fast.login && slow.shutdown > fast.shutdown);
    for (const step of [...steps, unpacking("iso")]) assert.ok(slow.step(step) > fast.step(step), step.name);
  });

  it("are the user's where given: of booting, powering off and the main step of each boot", () => {
    const limits = limitsOf("tcg", { boot: 11, install: 22_222, profile: 33_333, shutdown: 44 });
    assert.equal(limits.boot, 11);
    assert.equal(limits.login, 11);
    assert.equal(limits.step(stepNamed("packages")), 22_222);
    assert.equal(limits.step(stepNamed("profile")), 33_333);
    assert.equal(limits.shutdown, 44);
  });

  it("give a short step no more than the user gave the main one, and no more than its own", () => {
    assert.equal(limitsOf("kvm", { install: 5 }).step(stepNamed("format")), 5);
    assert.equal(
      limitsOf("kvm", { install: 9999 }).step(stepNamed("format")),
      limitsOf("kvm").step(stepNamed("format")),
    );
    assert.equal(limitsOf("kvm", { install: 5 }).step(stepNamed("seal")), limitsOf("kvm").step(stepNamed("seal")));
  });
});
