/** A VM whose disk stands on no image. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "../../provider/paths.js";
import { inGuest } from "../support/guest.js";
import { minute, openScene, vmProgram } from "../support/scene.js";

interface DiskInfo {
  readonly "virtual-size": number;
  readonly "actual-size": number;
  readonly "backing-filename"?: string;
}

describe("an ArchVm with fresh: true", function () {
  this.timeout(40 * minute);

  it("is installed for itself, on a thin disk without a backing file, publishes no image, and can be cloned", async () => {
    const scene = await openScene();
    const stack = await scene.stack("fresh");
    const name = `vms-e2e-fresh-${process.pid}`;
    // Made on another profile, of which the script is run here as well.
    writeFileSync(join(stack.folder, "mine.sh"), '#!/bin/sh\n# vms-base: minimal\necho "$VMS_PROFILE" >/etc/mine\n');
    const program = `const host = new HostBootstrap("host");
      const vm = ${vmProgram(scene, "vm", `name: ${JSON.stringify(name)}, profile: "./mine.sh", fresh: true, disk: "12G"`).replace(/\)$/, ", { dependsOn: host })")};
      export const { uuid, diskPath, image } = vm;`;
    stack.write(program);
    const imagesBefore = imagesIn();
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    const { uuid, diskPath, image } = await stack.outputs();
    const info = JSON.parse(
      execFileSync("qemu-img", ["info", "-U", "--output=json", String(diskPath)], { encoding: "utf8" }),
    ) as DiskInfo;
    assert.equal(info["backing-filename"], undefined);
    assert.equal(info["virtual-size"], 12 * 1024 ** 3);
    assert.ok(info["actual-size"] < 4 * 1024 ** 3, `it takes up ${info["actual-size"]} bytes`);
    assert.equal(image, "");
    assert.deepEqual(imagesIn(), imagesBefore);
    assert.deepEqual(
      (await scene.domains()).map((domain) => domain.name),
      [name],
      "the install's own domain is gone",
    );
    assert.equal(await inGuest(String(uuid), "cat /etc/mine"), "./mine.sh");
    const gib = Number(await inGuest(String(uuid), "df --output=size -BM / | tail -1 | tr -dc 0-9")) / 1024;
    assert.ok(gib > 10.5, `the root file system has ${gib} GiB of a disk of 12`);
    assert.equal((await stack.up("--expect-no-changes")).status, 0);
    stack.write(`${program}
      const copy = new VmClone("copy", { name: "${name}-copy", source: vm });
      export const copyUuid = copy.uuid;`);
    const cloned = await stack.up();
    assert.equal(cloned.status, 0, cloned.output);
    const { copyUuid } = await stack.outputs();
    assert.equal(await inGuest(String(copyUuid), "cat /etc/mine /etc/hostname"), `./mine.sh\n${name}-copy`);
    assert.equal((await stack.destroy()).status, 0);
    assert.equal(existsSync(String(diskPath)), false);
    assert.deepEqual(readdirSync(storePaths(scene.settings).base), []);
    assert.deepEqual(await scene.domains(), []);

    function imagesIn(): string[] {
      const { images } = storePaths(scene.settings);
      return existsSync(images) ? readdirSync(images).sort() : [];
    }
  });
});
