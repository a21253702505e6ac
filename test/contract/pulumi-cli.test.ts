import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageFiles } from "../../provider/paths.js";
import { attempt, run, type RunResult } from "../../provider/host/command.js";

const programs = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];
const archive = "pulumi-v3.259.0-linux-x64.tar.gz";
/** A build takes minutes: a test that falls through to it fails instead. */
const noGo = "/nonexistent/go";
/** What the script needs of a host; there is no Go and no pulumi among it. */
const hostPrograms =
  "awk basename bash cat chmod curl dirname flock gzip install mkdir mktemp mv readlink rm sha256sum tar uname".split(
    " ",
  );

describe("tools/pulumi-cli/ensure.sh", () => {
  let folder: string;
  let bin: string;
  let release: string;
  let server: Server;
  let requests: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "vms-pulumi-cli-"));
    bin = join(folder, "bin");
    release = join(folder, "release");
    await mkdir(bin);
    for (const program of hostPrograms) await symlink(await whereIs(program), join(bin, program));
    await makeRelease(release);
    requests = [];
    server = createServer((request, response) => {
      requests.push(request.url ?? "");
      readFile(join(release, (request.url ?? "").slice(1))).then(
        (content) => response.end(content),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });

  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true });
  });

  function releases(): string {
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function ensure(env: Record<string, string> = {}): Promise<RunResult> {
    return attempt([join(bin, "bash"), join(packageFiles.root, "tools", "pulumi-cli", "ensure.sh")], {
      env: { PATH: bin, VMS_CACHE: join(folder, "cache"), VMS_PULUMI_RELEASES: releases(), VMS_GO: noGo, ...env },
    });
  }

  it("takes the pulumi that is on PATH and asks nobody", async () => {
    const own = join(folder, "own");
    await mkdir(own);
    for (const program of programs) await writeProgram(join(own, program));
    const { status, stdout } = await ensure({ PATH: `${bin}:${own}` });
    assert.equal(status, 0);
    assert.equal(stdout, own);
    assert.deepEqual(requests, []);
  });

  it("does not take a pulumi that lacks its Node language host", async () => {
    await writeProgram(join(bin, "pulumi"));
    const { stdout } = await ensure();
    assert.notEqual(stdout, bin);
    assert.equal((await run([join(stdout, "pulumi")])).stdout, "released pulumi");
  });

  it("fetches the official release once, and takes it from the cache from then on", async () => {
    const first = await ensure();
    assert.equal(first.status, 0, first.stderr);
    for (const program of programs) {
      assert.equal((await run([join(first.stdout, program)])).stdout, `released ${program}`);
    }
    const asked = requests.length;
    const second = await ensure();
    assert.deepEqual([second.stdout, second.stderr], [first.stdout, ""]);
    assert.equal(requests.length, asked);
  });

  it("uses nothing of a release whose checksum is not the published one, and says both", async () => {
    await writeFile(join(release, archive), "not what was published");
    const { status, stderr } = await ensure();
    assert.equal(status, 1);
    assert.match(stderr, /has the SHA-256 [0-9a-f]{64}, but [0-9a-f]{64} was published/);
    assert.deepEqual(await cached(folder), []);
  });

  it("says what to install where there is neither a release nor Go", async () => {
    await rm(release, { recursive: true });
    const { status, stderr } = await ensure();
    assert.equal(status, 1);
    assert.match(stderr, /there is no Go to build it with/);
    assert.match(stderr, /pulumi\.com\/docs\/install.*go\.dev\/doc\/install/);
  });

  it("refuses a Go that is too old to build it, by its version", async () => {
    await rm(release, { recursive: true });
    await writeProgram(join(bin, "go"), "echo go1.19.8");
    const { status, stderr } = await ensure({ VMS_GO: "" });
    assert.equal(status, 1);
    assert.match(stderr, /is go1\.19\.8: building the pulumi CLI takes Go 1\.21 or later/);
  });

  it("makes one CLI when two ask at the same time", async () => {
    const [one, other] = await Promise.all([ensure(), ensure()]);
    assert.equal(one.stdout, other.stdout);
    assert.equal(requests.filter((path) => path.endsWith(archive)).length, 1);
    assert.equal((await cached(folder)).length, 1);
  });
});

async function whereIs(program: string): Promise<string> {
  return (await run(["which", program])).stdout;
}

async function writeProgram(path: string, body = `echo "released ${path.split("/").at(-1) ?? ""}"`): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

async function makeRelease(release: string): Promise<void> {
  await mkdir(join(release, "pulumi"), { recursive: true });
  for (const program of programs) await writeProgram(join(release, "pulumi", program));
  await run(["tar", "-czf", archive, "pulumi"], { cwd: release });
  const sum = createHash("sha256")
    .update(await readFile(join(release, archive)))
    .digest("hex");
  await writeFile(
    join(release, "pulumi-3.259.0-checksums.txt"),
    `${"0".repeat(64)}  other.tar.gz\n${sum}  ${archive}\n`,
  );
}

/** What lies in the cache but the lock. */
async function cached(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, "cache", "pulumi-vms", "pulumi"));
  return names.filter((name) => name !== "lock");
}
