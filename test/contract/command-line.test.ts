import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, type RunResult } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";

const main = join(packageFiles.root, "dist", "cli", "main.js");
const vms = (args: readonly string[], env: Record<string, string> = {}): Promise<RunResult> =>
  attempt([process.execPath, main, ...args], { env });

describe("the command line", () => {
  it("lists its verbs, and is done with status 0", async () => {
    const { status, stdout } = await vms(["--help"]);
    assert.equal(status, 0);
    for (const verb of [
      "bootstrap",
      "clone",
      "console",
      "create",
      "demo",
      "destroy",
      "doctor",
      "help",
      "images",
      "ip",
      "kill",
      "list",
      "log",
      "pulumi",
      "screenshot",
      "start",
      "stop",
      "up",
      "viewer",
    ]) {
      assert.match(stdout, new RegExp(`^  ${verb} `, "m"));
    }
  });

  it("says its version, and what a verb takes", async () => {
    const { version } = JSON.parse(await readFile(join(packageFiles.root, "package.json"), "utf8")) as {
      version: string;
    };
    assert.deepEqual(await vms(["--version"]), { status: 0, stdout: version, stderr: "" });
    const { status, stdout } = await vms(["help", "stop"]);
    assert.equal(status, 0);
    assert.match(stdout, /^Usage: vms stop \[options\] <name>$/m);
  });

  for (const args of [
    [],
    ["nonsense"],
    ["create"],
    ["create", "web", "--nonsense"],
    ["create", "web", "--memory", "much"],
  ]) {
    it(`ends with status 2 and says what is wrong with: vms ${args.join(" ")}`, async () => {
      const { status, stderr } = await vms(args);
      assert.equal(status, 2);
      assert.notEqual(stderr, "");
      assert.doesNotMatch(stderr, /^\s+at /m, "no stack");
    });
  }

  it("tells bad input with what to do, all at once, without a stack, with status 2", async () => {
    const { status, stderr } = await vms(["create", "Bad_Name", "--profile", "nonsense", "--memory", "1"]);
    assert.equal(status, 2);
    assert.match(stderr, /^Cannot create VM "Bad_Name": /);
    for (const property of ["name", "profile", "memory"]) assert.match(stderr, new RegExp(`${property}: `));
    assert.match(stderr, /\n {2}.*vms create --help/);
    assert.doesNotMatch(stderr, /^\s+at /m);
  });

  it("shows where an error comes from with VMS_DEBUG=1", async () => {
    const { stderr } = await vms(["create", "Bad_Name"], { VMS_DEBUG: "1" });
    assert.match(stderr, /^\s+at .*cli\/create\.js/m);
  });

  it("names the setting of the environment that cannot be used", async () => {
    const { status, stderr } = await vms(["list"], { VMS_IMAGES: "not/absolute" });
    assert.equal(status, 2);
    assert.match(stderr, /VMS_IMAGES is "not\/absolute": it must be an absolute path/);
  });

  it("hands flags behind pulumi on, and refuses a backend that there is not", async () => {
    const { status, stderr } = await vms(["pulumi", "up", "--help"], { VMS_PULUMI_BACKEND: "nowhere" });
    assert.equal(status, 2);
    assert.match(stderr, /VMS_PULUMI_BACKEND is "nowhere": it can be "local" or "current"/);
  });

  it("says that its output cannot be written, with status 1", async () => {
    for (const args of [["--help"], ["help", "create"], ["doctor"]]) {
      const full = openSync("/dev/full", "w");
      const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", full, "pipe"] });
      closeSync(full);
      let said = "";
      child.stderr?.on("data", (piece: Buffer) => (said += piece.toString()));
      const [status] = (await once(child, "close")) as [number | null];
      assert.equal(status, 1);
      assert.match(said, /^Cannot write to standard output: .*no space left on device/m);
      assert.doesNotMatch(said, /^\s+at /m, "no stack");
    }
  });

  it("does what it does when nobody listens any more, be it to its output or to how far it is", async () => {
    const child = spawn(process.execPath, [main, "doctor"], { stdio: ["ignore", "pipe", "pipe"] });
    const ended = once(child, "exit") as Promise<[number | null]>;
    child.stdout.destroy();
    child.stderr.destroy();
    assert.equal((await ended)[0], (await vms(["doctor"])).status);
    const lost = spawn(process.execPath, [main, "create", "Bad_Name"], { stdio: ["ignore", "pipe", "pipe"] });
    lost.stderr.destroy();
    assert.equal(((await once(lost, "exit")) as [number | null])[0], 2);
  });

  it("ends with status 130 on Ctrl-C while it waits for a server", async () => {
    const cache = await mkdtemp(join(tmpdir(), "vms-cancel-"));
    // Takes a request for the pulumi CLI and never answers.
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { ...process.env, PATH: "/usr/bin:/bin", VMS_CACHE: cache, VMS_PULUMI_RELEASES: releases };
    const child = spawn(process.execPath, [main, "pulumi", "whoami"], { env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (piece: Buffer) => (said += piece.toString()));
    try {
      await once(server, "request");
      child.kill("SIGINT");
      const [status] = (await once(child, "close")) as [number | null];
      assert.equal(status, 130);
      assert.match(said, /was stopped/);
    } finally {
      server.closeAllConnections();
      server.close();
      await rm(cache, { recursive: true, force: true });
    }
  });
});
