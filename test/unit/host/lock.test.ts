import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lock, tryLock, withLock } from "../../../provider/host/lock.js";
import { slotCount } from "../../../provider/host/slots.js";

describe("a lock", () => {
  const directory = mkdtempSync(join(tmpdir(), "vms-lock-"));
  const path = join(directory, "lock");
  after(() => {
    rmSync(directory, { recursive: true });
  });

  it("is held by one at a time, also within a process", async () => {
    const held = await tryLock(path);
    assert.ok(held);
    assert.equal(await tryLock(path), undefined);
    await held.release();
    const again = await tryLock(path);
    assert.ok(again);
    await again.release();
  });

  it("is waited for, and says once that it waits", async () => {
    const order: string[] = [];
    const held = await lock(path);
    const waiting = withLock(path, async () => void order.push("second"), { onWait: () => order.push("waits") });
    while (order.length === 0) await new Promise((resolve) => setImmediate(resolve));
    order.push("first ends");
    await held.release();
    await waiting;
    assert.deepEqual(order, ["waits", "first ends", "second"]);
  });

  it("is let go of when the work under it fails", async () => {
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error("no"))),
      /no/,
    );
    const free = await tryLock(path);
    assert.ok(free);
    await free.release();
  });

  it("ends with the process that held it, however that ended", async () => {
    const module = new URL("../../../provider/host/lock.js", import.meta.url).href;
    const script = `const { lock } = await import(${JSON.stringify(module)}); await lock(${JSON.stringify(path)}); console.log("held"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    assert.equal(await tryLock(path), undefined);
    child.kill("SIGKILL");
    await once(child, "exit");
    const free = await tryLock(path);
    assert.ok(free);
    await free.release();
  });

  it("that cannot be made says which file and what to do", async () => {
    await assert.rejects(tryLock(join(directory, "none", "lock")), /lock file .*none\/lock[^]*vms bootstrap/);
  });
});

describe("the number of guests that may boot at once", () => {
  it("follows the cores, fewer under emulation, and never is none", () => {
    assert.deepEqual(
      [1, 2, 8].map((cores) => slotCount("tcg", cores)),
      [1, 1, 4],
    );
    assert.deepEqual(
      [1, 2, 8].map((cores) => slotCount("kvm", cores)),
      [2, 2, 8],
    );
  });
});
