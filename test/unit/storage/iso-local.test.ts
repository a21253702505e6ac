import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ensureIso } from "../../../provider/storage/iso.js";
import { recordedContext } from "./recorded-context.js";
import { makeIso, needPrograms } from "./small-iso.js";
import { useFolder } from "./temporary.js";

describe("an ISO given by its path", () => {
  const folder = useFolder();
  const file = (name: string): string => join(folder(), name);
  let iso: Buffer;
  let sha256: string;

  before(function () {
    needPrograms(this, "xorriso");
    iso = makeIso();
    sha256 = createHash("sha256").update(iso).digest("hex");
  });

  it("is used where it is, with a notice that nothing vouches for it", async () => {
    writeFileSync(file("arch.iso"), iso);
    const context = recordedContext(folder());
    assert.deepEqual(await ensureIso(file("arch.iso"), context), { path: file("arch.iso"), sha256 });
    assert.match(context.notices.join("\n"), /the ISO .*arch\.iso is used as it is/);
    assert.match(context.details.at(-1) ?? "", /^checking the ISO, 100%, \d+ of \d+ MiB$/);
  });

  it("is not read again while it is the same file, and is when it has changed", async () => {
    writeFileSync(file("arch.iso"), iso);
    await ensureIso(file("arch.iso"), recordedContext(folder()));
    const again = recordedContext(folder());
    assert.equal((await ensureIso(file("arch.iso"), again)).sha256, sha256);
    assert.deepEqual(again.details, []);
    const other = Buffer.concat([iso, Buffer.from("more")]);
    writeFileSync(file("arch.iso"), other);
    const changed = await ensureIso(file("arch.iso"), recordedContext(folder()));
    assert.equal(changed.sha256, createHash("sha256").update(other).digest("hex"));
  });

  it("is read again when it changed and kept its size", async () => {
    writeFileSync(file("arch.iso"), iso);
    await ensureIso(file("arch.iso"), recordedContext(folder()));
    const other = Buffer.from(iso);
    other.write("changed", other.length - 100);
    writeFileSync(file("arch.iso"), other);
    utimesSync(file("arch.iso"), new Date(1000), new Date(2000));
    const changed = await ensureIso(file("arch.iso"), recordedContext(folder()));
    assert.equal(changed.sha256, createHash("sha256").update(other).digest("hex"));
  });

  it("is read again when what is remembered has been lost or damaged", async () => {
    writeFileSync(file("arch.iso"), iso);
    await ensureIso(file("arch.iso"), recordedContext(folder()));
    const index = join(folder(), "iso", "index.json");
    assert.ok(statSync(index).size > 0);
    writeFileSync(index, '{"files": {');
    assert.equal((await ensureIso(file("arch.iso"), recordedContext(folder()))).sha256, sha256);
    JSON.parse(readFileSync(index, "utf8"));
  });

  it("is refused when it is not there, a folder, a device or unreadable, each by name", async function () {
    const context = recordedContext(folder());
    const refused = (path: string, code: string, message: RegExp): Promise<void> =>
      assert.rejects(ensureIso(path, context), { code, message });
    await refused(file("none.iso"), "gone", /^Cannot use ISO ".*none\.iso": there is no such file\n/);
    await refused(folder(), "input", /it is a folder/);
    await refused("/dev/zero", "input", /it is no regular file/);
    assert.deepEqual(context.notices, []);
    if (process.getuid?.() === 0) return; // root may read everything
    writeFileSync(file("arch.iso"), iso);
    chmodSync(file("arch.iso"), 0);
    await refused(file("arch.iso"), "permission", /you may not read it\n.*chmod a\+r/);
  });

  it("is refused when a part of it is missing", async () => {
    writeFileSync(file("arch.iso"), iso);
    truncateSync(file("arch.iso"), iso.length - 1024 ** 2);
    await assert.rejects(ensureIso(file("arch.iso"), recordedContext(folder())), {
      code: "checksum",
      message: /Cannot use ISO ".*arch\.iso": it is truncated: [\d.]+ MiB of [\d.]+ MiB are there/,
    });
  });

  it("is refused when it is no ISO, an empty file or only its first bytes", async () => {
    for (const content of ["<html>", "", iso.subarray(0, 33000), Buffer.alloc(1024 ** 2)]) {
      writeFileSync(file("arch.iso"), content);
      await assert.rejects(ensureIso(file("arch.iso"), recordedContext(folder())), {
        code: "checksum",
        message: /it is not an ISO 9660 image/,
      });
    }
  });

  it("stops when the user cancels", async () => {
    writeFileSync(file("arch.iso"), iso);
    const cancelled = ensureIso(file("arch.iso"), recordedContext(folder(), AbortSignal.abort()));
    await assert.rejects(cancelled, { code: "cancelled" });
  });

  it("is used even where its checksum cannot be kept, which is said", async function () {
    if (process.getuid?.() !== 0) this.skip(); // needs a mount that nobody may write
    writeFileSync(file("arch.iso"), iso);
    mkdirSync(join(folder(), "iso"));
    const { execFileSync } = await import("node:child_process");
    execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", join(folder(), "iso")]);
    try {
      const context = recordedContext(folder());
      assert.equal((await ensureIso(file("arch.iso"), context)).sha256, sha256);
      assert.match(context.notices.at(-1) ?? "", /checksum is not kept for the next time: .*read-only/i);
    } finally {
      execFileSync("umount", [join(folder(), "iso")]);
    }
    assert.ok(!existsSync(join(folder(), "iso", "index.json")));
  });
});
