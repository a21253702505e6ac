/** Each fault is caused, and each error says what, where, the last lines, the log and what to do. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isoWithoutLogin, truncatedIso } from "../support/broken-iso.js";
import {
  assertNamesLog,
  assertTellsAll,
  failsToCreate,
  isoProperty as iso,
  newName,
  openScratch,
} from "../support/failed-creation.js";
import { type Scene, vmProgram, writeTemporary } from "../support/scene.js";
import { virsh } from "../support/store.js";

describe("an ArchVm that cannot be made", () => {
  let scene: Scene;
  let scratch: string;
  before(async () => {
    [scene, scratch] = await openScratch();
  });
  const failToCreate = (more: string) => failsToCreate(scene, more);

  it("for an ISO that is not there says which", async () => {
    assert.match(await failToCreate(iso("/nowhere/arch.iso")), /\/nowhere\/arch\.iso/);
  });

  it("for an ISO that is truncated says so, before anything boots", async () => {
    const path = join(scratch, "truncated.iso");
    truncatedIso(scene.standIn.iso, path);
    assert.match(await failToCreate(iso(path)), /truncated\.iso.*(truncated|incomplete|cut)/);
  });

  it("for an ISO with a wrong checksum says what was expected and what was found", async () => {
    const { createServer } = await import("node:http");
    const { createReadStream } = await import("node:fs");
    const server = createServer((_request, response) => createReadStream(scene.standIn.iso).pipe(response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const wrong = "0".repeat(64);
    const output = await failToCreate(`iso: { url: "http://127.0.0.1:${port}/arch.iso", sha256: "${wrong}" }`);
    server.close();
    assert.match(output, new RegExp(wrong));
    assert.equal(
      readdirSync(scene.settings.iso).some((name) => name.endsWith(".iso")),
      false,
      "the bad file is not kept",
    );
  });

  it("because a domain of its name is not ours names that domain and leaves it alone", async () => {
    const name = newName();
    virsh(
      "define",
      writeTemporary(
        scene,
        `<domain type='qemu'><name>${name}</name><memory>65536</memory><os><type>hvm</type></os></domain>`,
      ),
    );
    const uuid = virsh("domuuid", name);
    try {
      const stack = await scene.stack(name);
      stack.write(vmProgram(scene, "vm", `name: ${JSON.stringify(name)}`));
      const { status, output } = await stack.up();
      assert.notEqual(status, 0);
      assert.match(output, new RegExp(`Cannot create VM "${name}".*not ours.*${uuid}`));
      assert.equal((await stack.destroy()).status, 0);
      assert.equal(virsh("domuuid", name), uuid);
    } finally {
      virsh("undefine", uuid);
    }
  });

  it("because a libvirt network is not there says which there are", async () => {
    assert.match(
      await failToCreate(`network: "nonesuch"`),
      /no libvirt network "nonesuch"[^]*network: "user" needs none/,
    );
  });

  it("because the mirror does not answer names it", async () => {
    const mirror = "http://10.0.2.2:1/$repo/os/$arch";
    const output = await failToCreate(`mirror: ${JSON.stringify(mirror)}`);
    assert.match(output, /step "ready".*10\.0\.2\.2:1\//s);
    assertTellsAll(output);
  });

  it("because the mirror lacks a package names the package", async () => {
    const output = await failToCreate(`packages: ["no-such-package"]`);
    assert.match(output, /step "packages".*target not found: no-such-package/s);
    assertTellsAll(output);
  });

  it("because the medium does not boot says so when the time for that is over", async () => {
    const path = join(scratch, "no-login.iso");
    isoWithoutLogin(scene.standIn.iso, path, scratch);
    const output = await failToCreate(`${iso(path)}, timeouts: { boot: 20 }`);
    assert.match(output, /within 20 s/);
    // It printed nothing that could be quoted.
    assertNamesLog(output);
  });

  it("is refused, all at once and in the preview, for values with quotes, commands, newlines or XML in them", async () => {
    const hostile = await scene.stack("hostile");
    hostile.write(`new ArchVm("vm", {
      profile: "minimal", name: "<name/>", packages: ["$(touch /tmp/vms-was-here)"], locale: "en_US.UTF-8'; reboot",
      timezone: "UTC\\nroot", memory: -1, disk: "much",
    })`);
    const { status, output } = await hostile.preview();
    assert.notEqual(status, 0);
    for (const property of ["name", "packages", "locale", "timezone", "memory", "disk"]) {
      assert.match(output, new RegExp(`property ${property} `), property);
    }
    assert.equal(existsSync("/tmp/vms-was-here"), false);
  });
});
