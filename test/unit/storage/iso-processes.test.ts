/** Several processes, a killed one, and a full disk: what only the operating system can cause. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Iso } from "../../../provider/storage/iso.js";
import type { Patience } from "../../../provider/storage/iso-http.js";
import { ensureRemoteIso } from "../../../provider/storage/iso-remote.js";
import { Mirror } from "./mirror.js";
import { type RecordedContext, recordedContext } from "./recorded-context.js";
import { makeIso, needPrograms } from "./small-iso.js";
import { useFolder, withSmallDisk } from "./temporary.js";

const patient: Patience = { silence: 20, attempts: 3, pause: 0.01 };
const MiB = 1024 ** 2;

describe("fetching an ISO", () => {
  const folder = useFolder();
  let iso: Buffer;
  let sha256: string;
  let mirror: Mirror;
  let context: RecordedContext;

  before(function () {
    needPrograms(this, "xorriso", "flock");
    iso = makeIso();
    sha256 = createHash("sha256").update(iso).digest("hex");
  });
  beforeEach(async () => {
    mirror = await Mirror.start();
    mirror.files.set("/arch.iso", iso);
    context = recordedContext(folder());
  });
  afterEach(() => mirror.stop());

  const target = (): string => join(folder(), "iso", `arch-${sha256.slice(0, 12)}.iso`);
  const partSize = (): number => (existsSync(`${target()}.part`) ? statSync(`${target()}.part`).size : 0);
  const wanted = (): { url: string; sha256: string } => ({ url: mirror.url("/arch.iso"), sha256 });
  const fetchIso = (): Promise<Iso> => ensureRemoteIso(wanted(), context, patient);
  const assertWhole = (): void => assert.ok(readFileSync(target()).equals(iso));

  /** Another process that fetches the same. */
  function fetchInChild(): ChildProcess {
    const module = new URL("../../../provider/storage/iso.js", import.meta.url).href;
    const { settings } = context;
    const script = `
      import { ensureIso } from ${JSON.stringify(module)};
      const progress = { phase() {}, detail() {}, notice() {} };
      await ensureIso(${JSON.stringify(wanted())}, { settings: ${JSON.stringify(settings)}, progress });`;
    return spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" });
  }

  async function until(condition: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(20_000);
    while (!condition()) await sleep(10, undefined, { signal: deadline });
  }

  it("goes on where a process stopped that was killed in the middle", async () => {
    mirror.faults.push({ path: "/arch.iso", stallAfter: 2 * MiB, times: 1 });
    const child = fetchInChild();
    await until(() => partSize() === 2 * MiB);
    child.kill("SIGKILL");
    await once(child, "exit");
    assert.equal(partSize(), 2 * MiB);
    assert.ok(!existsSync(target()));
    await fetchIso();
    assertWhole();
    assert.equal(mirror.asked("/arch.iso").at(-1)?.range, `bytes=${2 * MiB}-`);
  });

  it("is done once by two processes at the same time: the second waits, says so, and uses what the first fetched", async () => {
    mirror.faults.push({ path: "/arch.iso", stallAfter: 2 * MiB, times: 1 });
    const child = fetchInChild();
    const exited = once(child, "exit");
    await until(() => partSize() === 2 * MiB);
    const second = fetchIso();
    await until(() => context.phases.length > 0);
    assert.match(context.phases[0] ?? "", /^waiting for another process that works on .*arch-.*\.iso$/);
    mirror.resume();
    assert.deepEqual(await second, { path: target(), sha256 });
    assert.deepEqual(await exited, [0, null]);
    assertWhole();
    assert.equal(mirror.asked("/arch.iso").length, 1);
  });

  it("is done once by two callers in one process", async () => {
    const found = await Promise.all([fetchIso(), fetchIso(), fetchIso()]);
    assert.deepEqual(found, Array(3).fill({ path: target(), sha256 }));
    assert.equal(mirror.asked("/arch.iso").length, 1);
  });

  it("does not begin where the disk has too little room, and says how much is needed", async function () {
    const directory = join(folder(), "iso");
    mkdirSync(directory);
    await withSmallDisk(this, directory, 3 * 1024, async () => {
      await assert.rejects(fetchIso(), {
        code: "requirement",
        message: /no space left in .*iso: [\d.]+ MiB free, [\d.]+ MiB needed/,
      });
      assert.equal(partSize(), 0);
    });
  });

  it("keeps what has come when the disk becomes full on the way, and goes on when there is room again", async function () {
    mirror.lengths = false; // so that it cannot be known beforehand
    const directory = join(folder(), "iso");
    mkdirSync(directory);
    await withSmallDisk(this, directory, 8 * 1024, async () => {
      const filler = join(directory, "filler");
      writeFileSync(filler, Buffer.alloc(5 * MiB));
      await assert.rejects(fetchIso(), {
        code: "requirement",
        message: /no space left in .*iso: .* free; what has come so far is kept\n.*df -h/,
      });
      const kept = partSize();
      assert.ok(kept > MiB && kept < iso.length);
      rmSync(filler);
      await fetchIso();
      assertWhole();
      assert.equal(mirror.asked("/arch.iso").at(-1)?.range, `bytes=${kept}-`);
    });
  });
});
