/** Each fault is caused, and each error says what, where, the last lines, the log and what to do. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { storePaths } from "../../provider/paths.js";
import { isoWithoutLogin, isoWithoutShell, truncatedIso } from "../support/broken-iso.js";
import { virsh } from "../support/store.js";
import { openScene, type Scene, vmProgram, writeTemporary } from "../support/scene.js";

let counter = 0;
const newName = () => `vms-e2e-fault-${process.pid}-${counter++}`;

describe("an ArchVm that cannot be made", () => {
  let scene: Scene;
  let scratch: string;

  before(async () => {
    scene = await openScene();
    scratch = join(scene.project.directory, "scratch");
    mkdirSync(scratch);
    await scene.prepareHost();
  });

  /** Runs `up` of a VM that must fail, and checks that nothing of it is left. Properties come after those of `vmProgram`. */
  async function failToCreate(more: string, environment: Record<string, string> = {}): Promise<string> {
    const name = newName();
    const stack = await scene.stack(name, environment);
    stack.write(vmProgram(scene, "vm", `name: ${JSON.stringify(name)}, ${more}`));
    const before = await scene.domains();
    const { status, output } = await stack.up();
    assert.notEqual(status, 0, output);
    assert.match(output, new RegExp(`Cannot create VM "${name}"`));
    assert.deepEqual(await scene.domains(), before, "no domain is left");
    return output;
  }

  const iso = (path: string) => `iso: ${JSON.stringify(path)}`;

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

/** The last lines of the console, where all of it is, and what to do. */
function assertTellsAll(output: string): void {
  assert.match(output, /last lines:\s*\n\s+(error:\s+)?\|/, output);
  assertNamesLog(output);
}

function assertNamesLog(output: string): void {
  const log = /The whole console is in (\S+)/.exec(output)?.[1];
  assert.ok(log !== undefined && existsSync(log), output);
}
