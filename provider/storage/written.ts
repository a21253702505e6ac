/**
 * Whether a disk's top file says anything that the file below it does not. A guest whose file systems were frozen for a
 * snapshot writes an ext4 superblock as it is thawed, which is bookkeeping and no data: it does not count.
 *
 * The fields of the superblock are those of the kernel's Documentation/filesystems/ext4/super.rst.
 */
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VmsError } from "../errors.js";
import { run } from "../host/command.js";
import { imageInfo } from "./qemu-img.js";

interface Extent {
  readonly start: number;
  readonly length: number;
  /** 0: the top file itself. */
  readonly depth: number;
  /** false: nothing is stored for it anywhere. */
  readonly present?: boolean;
}

/** More than this is not compared: it is data. In bytes. */
const mostCompared = 1024 ** 2;

/**
 * True where the disk reads the same as what its top file stands on. What a guest still holds in its own memory is not seen: it
 * has to be flushed before.
 */
export async function sameAsBacking(top: string): Promise<boolean> {
  const { backing, capacity } = await imageInfo(top, { shared: true });
  if (backing === undefined) return false;
  const stored = await storedExtents(top);
  if (stored.reduce((sum, { length }) => sum + length, 0) > mostCompared) return false;
  const below = await imageInfo(backing, { shared: true });
  for (const { start, length } of stored) {
    const bytes = Math.min(length, capacity - start);
    // Behind its end there is nothing to compare with.
    if (start + bytes > below.capacity) return false;
    if (!sameBlocks(await readRange(top, start, bytes), await readRange(backing, start, bytes))) return false;
  }
  return true;
}

/** Whether nothing was ever written to the top file itself. One that is cut off in its making holds nothing either. */
export async function holdsNothing(top: string): Promise<boolean> {
  const { format } = await imageInfo(top, { shared: true });
  if (format !== "qcow2") return (await stat(top)).size === 0;
  return (await storedExtents(top)).length === 0;
}

async function storedExtents(top: string): Promise<Extent[]> {
  const argv = ["qemu-img", "map", "--force-share", "--output=json", "-f", "qcow2", top] as const;
  const { stdout } = await run(argv);
  return (JSON.parse(stdout) as Extent[]).filter(({ depth, present }) => depth === 0 && present !== false);
}

async function readRange(path: string, start: number, length: number): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), "vms-compare-"));
  try {
    const target = join(folder, "range");
    const disk = { driver: "qcow2", file: { driver: "file", filename: path } };
    // Not qemu-img dd: what its count means where something is skipped depends on its version.
    const range = `json:${JSON.stringify({ driver: "raw", offset: start, size: length, file: disk })}`;
    await run(["qemu-img", "convert", "--force-share", "-O", "raw", range, target]);
    const bytes = await readFile(target);
    if (bytes.length !== length)
      throw new VmsError("command", `qemu-img read ${bytes.length} bytes of ${length} of ${path}`);
    return bytes;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const block = 1024;

/** Whether they differ in nothing but the bookkeeping of superblocks. */
export function sameBlocks(one: Buffer, other: Buffer): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at += block) {
    const [a, b] = [one.subarray(at, at + block), other.subarray(at, at + block)];
    if (!a.equals(b) && !plainSuperblock(a).equals(plainSuperblock(b))) return false;
  }
  return true;
}

/** s_wtime, s_state, the bit "needs recovery" of s_feature_incompat, s_wtime_hi, s_kbytes_written, s_checksum. */
const bookkeeping: readonly (readonly [offset: number, length: number])[] = [
  [0x30, 4],
  [0x3a, 2],
  [0x178, 8],
  [0x274, 1],
  [0x3fc, 4],
];
const incompatibleFeatures = 0x60;
const needsRecovery = 0x04;

/** A superblock without its bookkeeping; what is no superblock as it is. */
function plainSuperblock(bytes: Buffer): Buffer {
  if (bytes.length < block || bytes.readUInt16LE(0x38) !== 0xef53) return bytes;
  const plain = Buffer.from(bytes);
  for (const [offset, length] of bookkeeping) plain.fill(0, offset, offset + length);
  plain.writeUInt8(plain.readUInt8(incompatibleFeatures) & ~needsRecovery, incompatibleFeatures);
  return plain;
}
