import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createDisk, createOverlay } from "../../../provider/storage/qemu-img.js";
import { holdsNothing, sameAsBacking, sameBlocks } from "../../../provider/storage/written.js";
import { writeInside } from "../../support/disk-content.js";
import { useFolder } from "./temporary.js";

const MiB = 1024 ** 2;

describe("whether a disk was written since it was frozen", () => {
  const folder = useFolder();
  const base = () => join(folder(), "base.qcow2");
  const top = () => join(folder(), "top.qcow2");

  beforeEach(async () => {
    await createDisk(base(), 64 * MiB);
    writeInside(base(), "1M", "1M", 0x11);
    await createOverlay(top(), base());
  });

  it("is denied of one that nobody wrote to, also where it has grown", async () => {
    assert.equal(await sameAsBacking(top()), true);
    assert.equal(await holdsNothing(top()), true);
    execFileSync("qemu-img", ["resize", "-q", top(), "96M"]);
    assert.equal(await sameAsBacking(top()), true);
  });

  it("is seen wherever the write was, be it where the base has nothing, behind its end, or zeros", async () => {
    for (const [offset, pattern] of [
      ["0", 0x22],
      ["1M", 0x22],
      ["63M", 0x22],
      ["1M", 0],
    ] as const) {
      await createOverlay(join(folder(), `${offset}-${pattern}.qcow2`), base());
      writeInside(join(folder(), `${offset}-${pattern}.qcow2`), offset, "4k", pattern);
      assert.equal(await sameAsBacking(join(folder(), `${offset}-${pattern}.qcow2`)), false, `${pattern} at ${offset}`);
    }
    execFileSync("qemu-img", ["resize", "-q", top(), "96M"]);
    writeInside(top(), "80M", "4k", 0x22);
    assert.equal(await sameAsBacking(top()), false);
  });

  it("is denied of one that was written with what the base says, and holds something all the same", async () => {
    writeInside(top(), "1M", "64k", 0x11);
    assert.equal(await sameAsBacking(top()), true);
    assert.equal(await holdsNothing(top()), false);
  });

  it("is seen of a disk that stands on nothing", async () => {
    assert.equal(await sameAsBacking(base()), false);
  });

  it("does not count the fields of an ext4 superblock that a thaw writes, and counts one that a new file changes", function () {
    const [image, other] = [join(folder(), "fs"), join(folder(), "fs2")];
    execFileSync("mkfs.ext4", ["-q", image, "8M"], {
      env: { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/sbin` },
    });
    execFileSync("cp", [image, other]);
    const [one, two] = [readBytes(image), readBytes(other)];
    // s_wtime and the bit "needs recovery", as a thaw writes them.
    two.writeUInt32LE(two.readUInt32LE(1024 + 0x30) + 7, 1024 + 0x30);
    two.writeUInt8(two.readUInt8(1024 + 0x60) | 4, 1024 + 0x60);
    assert.equal(sameBlocks(one, two), true);
    // s_free_blocks_count: something was written.
    two.writeUInt32LE(two.readUInt32LE(1024 + 0x0c) - 1, 1024 + 0x0c);
    assert.equal(sameBlocks(one, two), false);
  });
});

function readBytes(path: string): Buffer {
  return execFileSync("cat", [path], { maxBuffer: 16 * MiB });
}
