/** What an install runs into when it is well under way. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "../../provider/paths.js";
import { isoWithoutShell } from "../support/broken-iso.js";
import { assertTellsAll, failsToCreate, isoProperty as iso, openScratch } from "../support/failed-creation.js";
import type { Scene } from "../support/scene.js";

describe("an ArchVm whose install fails", () => {
  let scene: Scene;
  let scratch: string;
  before(async () => {
    [scene, scratch] = await openScratch();
  });
  const failToCreate = (more: string, environment = {}) => failsToCreate(scene, more, environment);

  it("because the login hangs says so when the time for that is over", async () => {
    const path = join(scratch, "no-shell.iso");
    isoWithoutShell(scene.standIn.iso, path, scratch);
    const output = await failToCreate(`${iso(path)}, timeouts: { boot: 60 }`);
    assert.match(output, /log in|login|shell/i);
    assert.match(output, /within 60 s/);
    assertTellsAll(output);
  });

  it("because a step hangs names the step when its time is over", async () => {
    const output = await failToCreate(`packages: ["nano"], timeouts: { install: 8 }`);
    assert.match(output, /step "(ready|packages)"[^]*8 s/);
    assertTellsAll(output);
  });

  it("because the host's disk is full says that, and what was begun is gone", async () => {
    const mount = join(scene.project.directory, "small");
    // Beside the copy of the medium, in MiB: an empty system finds room, its packages do not.
    const roomForPackages = 100;
    mkdirSync(mount);
    execFileSync("mount", [
      "-t",
      "tmpfs",
      "-o",
      `size=${Math.ceil(statSync(scene.standIn.iso).size / 2 ** 20) + roomForPackages}m,mode=0711`,
      "none",
      mount,
    ]);
    try {
      const environment = { VMS_IMAGES: mount };
      const host = await scene.stack("small-host", environment);
      host.write(`new HostBootstrap("host");`);
      assert.equal((await host.up()).status, 0);
      const output = await failToCreate(`packages: ["nano"]`, environment);
      assert.match(output, /full/);
      const { disk, nvram } = storePaths({ ...scene.settings, images: mount });
      assert.deepEqual([...readdirSync(disk), ...readdirSync(nvram)], []);
    } finally {
      execFileSync("umount", [mount]);
    }
  });
});
