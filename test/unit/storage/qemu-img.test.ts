import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import type { Context } from "../../../provider/context.js";
import { silent } from "../../../provider/progress.js";
import { resolveSettings } from "../../../provider/settings.js";
import {
  checkImage,
  convertImage,
  createDisk,
  createOverlay,
  imageInfo,
  resizeDisk,
} from "../../../provider/storage/qemu-img.js";
import { useFolder, withSmallDisk } from "./temporary.js";

const MiB = 1024 ** 2;

function contextWith(details: string[], signal?: AbortSignal): Context {
  const progress = { ...silent, detail: (text: string) => void details.push(text) };
  return { settings: resolveSettings({}, { VMS_CONF: "/dev/null" }).settings, progress, signal };
}

/** Writes into the guest's disk, as a guest would. */
function writeInside(image: string, offset: string, length: string, pattern = "0xab"): void {
  execFileSync("qemu-io", ["-f", "qcow2", "-c", `write -P ${pattern} ${offset} ${length}`, image], { stdio: "pipe" });
}

function readsInside(image: string, offset: string, length: string, pattern: string): boolean {
  const script = `read -P ${pattern} ${offset} ${length}`;
  const said = execFileSync("qemu-io", ["-r", "-f", "qcow2", "-c", script, image], { stdio: "pipe" });
  return !String(said).includes("Pattern verification failed");
}

describe("disk images", () => {
  const folder = useFolder();
  const file = (name: string): string => join(folder(), name);

  it("makes an empty disk that takes up almost nothing and that others cannot read", async () => {
    await createDisk(file("a.qcow2"), 20 * 1024 * MiB);
    const info = await imageInfo(file("a.qcow2"));
    assert.equal(info.capacity, 20 * 1024 * MiB);
    assert.equal(info.format, "qcow2");
    assert.equal(info.backing, undefined);
    assert.ok(info.allocation < MiB);
    assert.equal(statSync(file("a.qcow2")).mode & 0o777, 0o660);
  });

  it("never overwrites a file, by whichever way it is made", async () => {
    await createDisk(file("base.qcow2"), MiB);
    writeFileSync(file("mine"), "precious");
    const taken = { code: "foreign", message: /Cannot \w+ disk image ".*mine": there is a file of that name already/ };
    await assert.rejects(createDisk(file("mine"), MiB), taken);
    await assert.rejects(createOverlay(file("mine"), file("base.qcow2")), taken);
    await assert.rejects(convertImage(file("base.qcow2"), file("mine"), contextWith([])), taken);
    assert.equal(readFileSync(file("mine"), "utf8"), "precious");
  });

  it("makes an overlay as large as what it stands on, or larger", async () => {
    await createDisk(file("base.qcow2"), 64 * MiB);
    writeInside(file("base.qcow2"), "1M", "64k");
    await createOverlay(file("same.qcow2"), file("base.qcow2"));
    await createOverlay(file("larger.qcow2"), file("base.qcow2"), 128 * MiB);
    const same = await imageInfo(file("same.qcow2"));
    assert.deepEqual([same.capacity, same.backing], [64 * MiB, file("base.qcow2")]);
    assert.equal((await imageInfo(file("larger.qcow2"))).capacity, 128 * MiB);
    assert.ok(readsInside(file("larger.qcow2"), "1M", "64k", "0xab"));
  });

  it("makes a disk larger and never smaller", async () => {
    await createDisk(file("a.qcow2"), 64 * MiB);
    await resizeDisk(file("a.qcow2"), 128 * MiB);
    assert.equal((await imageInfo(file("a.qcow2"))).capacity, 128 * MiB);
    await assert.rejects(resizeDisk(file("a.qcow2"), 64 * MiB), { message: /Cannot resize disk image ".*a\.qcow2"/ });
    assert.equal((await imageInfo(file("a.qcow2"))).capacity, 128 * MiB);
  });

  it("refuses an overlay on nothing, on a folder name that is relative and on what is no qcow2, and leaves no file", async () => {
    writeFileSync(file("raw"), Buffer.alloc(MiB));
    const target = file("over.qcow2");
    await assert.rejects(createOverlay(target, file("none.qcow2")), {
      code: "gone",
      message: /Cannot create disk image ".*over\.qcow2": its backing file .*none\.qcow2: there is no such file/,
    });
    await assert.rejects(createOverlay(target, "none.qcow2"), { code: "input", message: /must be absolute/ });
    await assert.rejects(createOverlay(target, file("raw")), { code: "command", message: /not in qcow2 format/ });
    assert.throws(() => statSync(target), { code: "ENOENT" });
  });

  it("reads the header of an image that a running program holds, only where that is asked for", async () => {
    await createDisk(file("live.qcow2"), MiB);
    const holder = spawn("qemu-io", ["-f", "qcow2", file("live.qcow2")], { stdio: ["pipe", "pipe", "inherit"] });
    try {
      holder.stdin.write("length\n");
      await once(holder.stdout, "data"); // it answers, so it has the image open
      await assert.rejects(imageInfo(file("live.qcow2")), {
        code: "busy",
        message: /a running VM or another program has it open/,
      });
      assert.equal((await imageInfo(file("live.qcow2"), { shared: true })).capacity, MiB);
    } finally {
      holder.stdin.end("quit\n");
      await once(holder, "exit");
    }
  });

  it("copies a chain into one standalone image, without what was discarded, and tells how far it is", async () => {
    await createDisk(file("base.qcow2"), 64 * MiB);
    writeInside(file("base.qcow2"), "0", "16M", "0x11");
    await createOverlay(file("top.qcow2"), file("base.qcow2"));
    writeInside(file("top.qcow2"), "4M", "1M", "0x22");
    writeInside(file("top.qcow2"), "8M", "8M", "0");
    const details: string[] = [];
    await convertImage(file("top.qcow2"), file("copy.qcow2"), contextWith(details));
    const info = await imageInfo(file("copy.qcow2"));
    assert.equal(info.backing, undefined);
    assert.equal(info.capacity, 64 * MiB);
    assert.ok(info.allocation < 10 * MiB, `${info.allocation} bytes`);
    assert.ok(readsInside(file("copy.qcow2"), "0", "4M", "0x11"));
    assert.ok(readsInside(file("copy.qcow2"), "4M", "1M", "0x22"));
    assert.ok(readsInside(file("copy.qcow2"), "8M", "8M", "0"));
    assert.match(details.at(-1) ?? "", /^copying the disk, 100%$/);
    assert.ok(details.length > 2);
  });

  it("stops a copy when the user cancels, and leaves no half copy", async () => {
    await createDisk(file("a.qcow2"), 64 * MiB);
    const cancel = new AbortController();
    cancel.abort();
    const copy = convertImage(file("a.qcow2"), file("b.qcow2"), contextWith([], cancel.signal));
    await assert.rejects(copy, { code: "cancelled" });
    assert.throws(() => statSync(file("b.qcow2")), { code: "ENOENT" });
  });

  it("finds nothing wrong with a sound image, and nothing wrong with leaked clusters", async () => {
    await createDisk(file("a.qcow2"), 64 * MiB);
    writeInside(file("a.qcow2"), "0", "1M");
    await checkImage(file("a.qcow2"));
    overwrite(file("a.qcow2"), tableOffset(file("a.qcow2")), Buffer.alloc(8)); // the data is now referred to by nobody
    await checkImage(file("a.qcow2"));
  });

  it("names the damage of an image whose tables point at nothing", async () => {
    await createDisk(file("a.qcow2"), 64 * MiB);
    writeInside(file("a.qcow2"), "0", "1M");
    const wrong = Buffer.alloc(8);
    wrong.writeBigUInt64BE((1n << 63n) | 0x40000000n);
    overwrite(file("a.qcow2"), tableOffset(file("a.qcow2")), wrong);
    await assert.rejects(checkImage(file("a.qcow2")), {
      code: "checksum",
      message: /Cannot check disk image ".*a\.qcow2": it is damaged: qemu-img found \d+ corruptions in it/,
    });
  });

  it("says what is wrong with a file that is no image at all or is not there", async () => {
    writeFileSync(file("text"), "no image\n");
    await assert.rejects(checkImage(file("text")), { code: "command", message: /not in qcow2 format/ });
    await assert.rejects(checkImage(file("none")), { code: "gone", message: /no such file/ });
    await assert.rejects(imageInfo(file("none")), {
      code: "gone",
      message: /Cannot read disk image ".*none": there is no such/,
    });
    await assert.rejects(createDisk(file("none/a.qcow2"), MiB), { code: "gone" });
  });

  it("says that the disk is full, where, and leaves no half image", async function () {
    await createDisk(file("a.qcow2"), 64 * MiB);
    writeInside(file("a.qcow2"), "0", "16M");
    const small = join(folder(), "small");
    execFileSync("mkdir", [small]);
    await withSmallDisk(this, small, 1024, async () => {
      const full = { code: "requirement", message: /no space left in .*small: .* free/ };
      await assert.rejects(convertImage(file("a.qcow2"), join(small, "copy.qcow2"), contextWith([])), full);
      assert.deepEqual(execFileSync("ls", [small]).toString(), "");
      writeFileSync(join(small, "rest"), Buffer.alloc(960 * 1024));
      await assert.rejects(createDisk(join(small, "new.qcow2"), MiB), full);
      assert.deepEqual(execFileSync("ls", [small]).toString(), "rest\n");
    });
  });
});

/** Where the first second-level table begins (qcow2 specification: the header's l1_table_offset is at byte 40). */
function tableOffset(image: string): number {
  const bytes = readFileSync(image);
  return Number(bytes.readBigUInt64BE(40));
}

function overwrite(path: string, offset: number, bytes: Buffer): void {
  const descriptor = openSync(path, "r+");
  writeSync(descriptor, bytes, 0, bytes.length, offset);
  closeSync(descriptor);
}
