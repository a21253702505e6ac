import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Iso, ensureIso } from "../../../provider/storage/iso.js";
import type { Patience } from "../../../provider/storage/iso-http.js";
import { ensureRemoteIso } from "../../../provider/storage/iso-remote.js";
import { Mirror } from "./mirror.js";
import { type RecordedContext, recordedContext } from "./recorded-context.js";
import { makeIso, needPrograms } from "./small-iso.js";
import { useFolder } from "./temporary.js";

const hurried: Patience = { silence: 20, attempts: 3, pause: 0.01 };
const MiB = 1024 ** 2;
const sumOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

describe("an ISO given by its URL", () => {
  const folder = useFolder();
  let iso: Buffer;
  let sha256: string;
  let mirror: Mirror;
  let context: RecordedContext;

  before(function () {
    needPrograms(this, "xorriso");
    iso = makeIso();
    sha256 = sumOf(iso);
  });
  beforeEach(async () => {
    mirror = await Mirror.start();
    mirror.files.set("/arch.iso", iso);
    context = recordedContext(folder());
  });
  afterEach(() => mirror.stop());

  const target = (): string => join(folder(), "iso", `arch-${sha256.slice(0, 12)}.iso`);
  const part = (): string => `${target()}.part`;
  const fetchIso = (patience = hurried): Promise<Iso> =>
    ensureRemoteIso({ url: mirror.url("/arch.iso"), sha256 }, context, patience);
  const partSize = (): number => statSync(part()).size;
  function assertPublished(found: Iso): void {
    assert.deepEqual(found, { path: target(), sha256 });
    assert.ok(readFileSync(target()).equals(iso));
    assert.equal(statSync(target()).mode & 0o777, 0o644);
    assert.deepEqual(
      readdirSync(join(folder(), "iso")).filter((name) => name.includes(".part")),
      [],
    );
  }

  it("is fetched with progress and used again without the network", async () => {
    const input = { url: mirror.url("/arch.iso"), sha256: sha256.toUpperCase() };
    assertPublished(await ensureIso(input, context));
    assert.ok(context.details.some((text) => /^fetching the ISO, \d+%, \d+ of \d+ MiB$/.test(text)));
    await mirror.stop();
    const again = recordedContext(folder());
    assertPublished(await ensureIso(input, again));
    assert.deepEqual([again.phases, again.details], [[], []]);
  });

  it("is taken by the checksum beside it, once: what came then is used again without the network", async () => {
    mirror.files.set("/sha256sums.txt", Buffer.from(`${"0".repeat(64)}  other.iso\n${sha256}  arch.iso\n`));
    assertPublished(await ensureIso(mirror.url("/arch.iso"), context));
    mirror.files.set("/sha256sums.txt", Buffer.from(`${"1".repeat(64)}  arch.iso\n`));
    const before = mirror.requests.length;
    assertPublished(await ensureIso(mirror.url("/arch.iso"), context));
    assert.equal(mirror.requests.length, before);
  });

  it("needs a checksum, and says how to give one where none is beside it", async () => {
    const wanted = { code: "input", message: /no checksum is given.*\n.*iso: \{ url: "http.*arch\.iso", sha256: / };
    await assert.rejects(ensureIso(mirror.url("/arch.iso"), context), wanted);
    mirror.files.set("/sha256sums.txt", Buffer.from(`${sha256}  other.iso\n`));
    await assert.rejects(ensureIso(mirror.url("/arch.iso"), context), wanted);
    assert.deepEqual(mirror.asked("/arch.iso"), []);
  });

  it("never stays when its checksum is wrong, and the error says both and from where", async () => {
    const other = Buffer.concat([iso, Buffer.from("more")]);
    mirror.files.set("/arch.iso", other);
    await assert.rejects(fetchIso(), {
      code: "checksum",
      message: new RegExp(`expected ${sha256}, got ${sumOf(other)}, of the file that http://127.*/arch.iso served`),
    });
    assert.deepEqual(readdirSync(join(folder(), "iso")), []);
  });

  it("never stays when its checksum holds and it is no ISO", async () => {
    const page = Buffer.from("<html>not an ISO</html>");
    mirror.files.set("/arch.iso", page);
    const wanted = { url: mirror.url("/arch.iso"), sha256: sumOf(page) };
    await assert.rejects(ensureRemoteIso(wanted, context, hurried), { code: "checksum", message: /not an ISO 9660/ });
    assert.deepEqual(readdirSync(join(folder(), "iso")), []);
  });

  it("goes on where it stopped when the server breaks off in the middle", async () => {
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    assertPublished(await fetchIso());
    const [first, second] = mirror.asked("/arch.iso");
    assert.equal(first?.range, undefined);
    assert.match(second?.range ?? "", /^bytes=[1-9]\d+-$/);
    assert.equal(second?.status, 206);
  });

  it("gives up after some attempts that bring nothing, keeps what has come, and goes on with it in the next run", async () => {
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    const refusal = { path: "/arch.iso", status: 503, times: 3 };
    mirror.faults.push(refusal);
    await assert.rejects(fetchIso(), {
      code: "unreachable",
      message: /status 503, 3 times in a row; [\d.]+ MiB have come and are kept\n.*goes on where it stopped/,
    });
    const kept = partSize();
    assert.ok(kept > MiB && kept <= 2 * MiB);
    assert.ok(!existsSync(target()));
    const before = mirror.asked("/arch.iso").length;
    assertPublished(await fetchIso());
    assert.deepEqual(
      mirror
        .asked("/arch.iso")
        .slice(before)
        .map(({ range }) => range),
      [`bytes=${kept}-`],
    );
  });

  it("counts a server that says nothing any more as broken off", async () => {
    mirror.faults.push({ path: "/arch.iso", stallAfter: MiB, times: 1 });
    mirror.faults.push({ path: "/arch.iso", stallAfter: 0 });
    await assert.rejects(fetchIso({ ...hurried, silence: 3 }), {
      code: "unreachable",
      message: /nothing came for 3 s, 3 times in a row; .* are kept/,
    });
    mirror.faults.length = 0;
    assertPublished(await fetchIso());
  });

  it("begins again where the server knows no ranges", async () => {
    mirror.ranges = false;
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    assertPublished(await fetchIso());
    assert.deepEqual(
      mirror.asked("/arch.iso").map(({ status }) => status),
      [200, 200],
    );
  });

  it("gives up on a server without ranges that always stops at the same place", async () => {
    mirror.ranges = false;
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB });
    await assert.rejects(fetchIso(), { code: "unreachable" });
    assert.ok(mirror.asked("/arch.iso").length <= 4);
  });

  for (const heeded of [true, false]) {
    it(`is not spliced from two files when it changes on a server that ${heeded ? "heeds" : "ignores"} If-Range`, async () => {
      mirror.ifRange = heeded;
      const old = Buffer.from(iso);
      old.fill(7, 40_000, 3 * MiB);
      mirror.files.set("/arch.iso", old);
      mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
      mirror.faults.push({ path: "/arch.iso", status: 503, times: 3 });
      await assert.rejects(fetchIso(), { code: "unreachable" });
      assert.ok(partSize() > MiB);
      mirror.files.set("/arch.iso", iso);
      assertPublished(await fetchIso());
      assert.deepEqual(context.notices, []);
    });
  }

  it("is not continued where the server says nothing to tell its files apart by", async () => {
    mirror.etags = false;
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    assertPublished(await fetchIso());
    assert.ok(mirror.asked("/arch.iso").every(({ range }) => range === undefined));
  });

  it("is fetched anew, once, when what an earlier run left turns out to be damaged", async () => {
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    mirror.faults.push({ path: "/arch.iso", status: 503, times: 3 });
    await assert.rejects(fetchIso(), { code: "unreachable" });
    writeFileSync(part(), Buffer.alloc(2 * MiB));
    assertPublished(await fetchIso());
    assert.match(context.notices.join("\n"), /wrong SHA-256.*: it is fetched again from the beginning/);
  });

  it("is only verified and published when a run was killed between the last byte and the new name", async () => {
    assertPublished(await fetchIso());
    const etag = `"${createHash("md5").update(iso).digest("hex")}"`;
    writeFileSync(part(), iso);
    writeFileSync(`${part()}.json`, JSON.stringify({ sha256, validator: etag, size: iso.length }));
    rmSync(target());
    const before = mirror.requests.length;
    assertPublished(await fetchIso());
    assert.equal(mirror.requests.length, before);
  });

  it("does not go on with the part of another file", async () => {
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    mirror.faults.push({ path: "/arch.iso", status: 503, times: 3 });
    await assert.rejects(fetchIso(), { code: "unreachable" });
    writeFileSync(`${part()}.json`, JSON.stringify({ sha256: "0".repeat(64), validator: '"x"', size: iso.length }));
    assertPublished(await fetchIso());
    assert.equal(mirror.asked("/arch.iso").at(-1)?.range, undefined);
  });

  it("is begun anew where what is there belongs to another user", async function () {
    if (process.getuid?.() === 0) this.skip(); // root may write to everybody's files
    mirror.faults.push({ path: "/arch.iso", cutAfter: 2 * MiB, times: 1 });
    mirror.faults.push({ path: "/arch.iso", status: 503, times: 3 });
    await assert.rejects(fetchIso(), { code: "unreachable" });
    chmodSync(part(), 0o444);
    assertPublished(await fetchIso());
    assert.equal(mirror.asked("/arch.iso").at(-1)?.range, undefined);
  });

  it("is fetched again when its file has been damaged since, which is said", async () => {
    assertPublished(await fetchIso());
    const damaged = Buffer.from(iso);
    damaged.fill(0, 100_000, 200_000);
    writeFileSync(target(), damaged);
    assertPublished(await fetchIso());
    assert.match(context.notices.join("\n"), /wrong SHA-256: expected .*: it is removed and fetched again/);
  });

  it("follows a server to another place, and not to one that is unprotected", async () => {
    mirror.faults.push({ path: "/latest.iso", redirect: "/arch.iso" });
    mirror.faults.push({ path: "/away.iso", redirect: "http://mirror.example/arch.iso" });
    mirror.faults.push({ path: "/round.iso", redirect: "/round.iso" });
    const from = (path: string): Promise<Iso> => ensureRemoteIso({ url: mirror.url(path), sha256 }, context, hurried);
    assert.equal((await from("/latest.iso")).sha256, sha256);
    await assert.rejects(from("/away.iso"), {
      code: "input",
      message: /leads to http:\/\/mirror\.example.*unprotected/,
    });
    await assert.rejects(from("/round.iso"), { code: "unreachable", message: /without end/ });
  });

  it("says at once that there is no such file, no such server, and that a checksum list is none", async () => {
    const missing = { url: mirror.url("/none.iso"), sha256 };
    await assert.rejects(ensureIso(missing, context), {
      code: "gone",
      message: /^Cannot use ISO "http:.*none\.iso": http:.*none\.iso: the server answered with status 404/,
    });
    assert.equal(mirror.asked("/none.iso").length, 1);
    mirror.files.set("/sha256sums.txt", Buffer.alloc(2 * MiB));
    await assert.rejects(ensureIso(mirror.url("/arch.iso"), context), { code: "unreachable", message: /larger than/ });
    await mirror.stop();
    await assert.rejects(ensureIso(missing, context), {
      code: "unreachable",
      message: /cannot be reached: .*ECONNREFUSED/,
    });
  });

  it("stops at once when the user cancels, and keeps what has come", async () => {
    mirror.faults.push({ path: "/arch.iso", stallAfter: 2 * MiB });
    const cancel = new AbortController();
    const recorded = recordedContext(folder(), cancel.signal);
    const progress = { ...recorded.progress, detail: () => cancel.abort() };
    context = { ...recorded, progress };
    await assert.rejects(ensureIso({ url: mirror.url("/arch.iso"), sha256 }, context), { code: "cancelled" });
    assert.ok(partSize() > 0);
    assert.ok(!existsSync(target()));
  });

  it("gets a file name that stays in its directory, whatever the URL says", async () => {
    mirror.files.set("/%2e%2e%2fa%20b;c.iso", iso);
    const url = mirror.url("/%2e%2e%2fa%20b;c.iso");
    const { path } = await ensureRemoteIso({ url, sha256 }, context, hurried);
    assert.equal(path, join(folder(), "iso", `.._a_b_c-${sha256.slice(0, 12)}.iso`));
  });
});
