import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { removeDeadLocks } from "../../../cli/stack-locks.js";

describe("a stack's lock", () => {
  let state: string;
  let locks: string;

  beforeEach(async () => {
    state = await mkdtemp(join(tmpdir(), "vms-locks-"));
    locks = join(state, ".pulumi", "locks", "organization", "project", "dev");
    await mkdir(locks, { recursive: true });
  });
  afterEach(() => rm(state, { recursive: true }));

  const writeLock = (name: string, pid: number, host = hostname()): Promise<void> =>
    writeFile(
      join(locks, `${name}.json`),
      JSON.stringify({ pid, username: "me", hostname: host, timestamp: "2026-01-01T00:00:00Z" }),
    );

  async function deadProcess(): Promise<number> {
    const child = spawn("true");
    await once(child, "exit");
    return child.pid ?? 0;
  }

  it("is removed where the pulumi that took it is dead, and its process id is told", async () => {
    const pid = await deadProcess();
    await writeLock("dead", pid);
    assert.deepEqual(await removeDeadLocks(state), [pid]);
    assert.deepEqual(await readdir(locks), []);
  });

  it("is removed where another program has the process id by now", async () => {
    await writeLock("used-again", process.pid);
    assert.deepEqual(await removeDeadLocks(state), [process.pid]);
  });

  it("stays where its pulumi runs", async () => {
    const program = join(state, "pulumi");
    await copyFile("/bin/sleep", program);
    const child = spawn(program, ["60"]);
    await once(child, "spawn");
    try {
      await writeLock("alive", child.pid ?? 0);
      assert.deepEqual(await removeDeadLocks(state), []);
      assert.deepEqual(await readdir(locks), ["alive.json"]);
    } finally {
      child.kill();
    }
  });

  it("stays where it was taken on another host, of which nothing is known here", async () => {
    await writeLock("elsewhere", await deadProcess(), "elsewhere.example");
    assert.deepEqual(await removeDeadLocks(state), []);
  });

  it("is not looked for where there is no state yet", async () => {
    assert.deepEqual(await removeDeadLocks(join(state, "none")), []);
  });
});
