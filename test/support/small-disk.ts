/** The blocks of a small VM's disk: written to as its guest would, and all read back. */
import { execFileSync } from "node:child_process";
import { virsh } from "./store.js";

const KiB = 1024;
const blockSize = 16 * KiB;

/** Three blocks share a cluster of 64 KiB, so that a write has to copy what lies beside it from below. */
export const blockCount = 12;
const offsetOf = (block: number) => Math.floor(block / 3) * 5 * 1024 * KiB + (block % 3) * blockSize;

/** What was written last to each block; the rest is as it was. */
export type Blocks = ReadonlyMap<number, number>;

const write = (block: number, pattern: number) => `write -P ${pattern} ${offsetOf(block)} ${blockSize}`;

export function writeWhileOff(disk: string, block: number, pattern: number): void {
  execFileSync("qemu-io", ["-f", "qcow2", "-c", write(block, pattern), "-c", "flush", disk], { stdio: "pipe" });
}

/** By the running qemu; flushed, as a guest does that wants to rely on it. */
export function writeWhileOn(uuid: string, block: number, pattern: number): void {
  for (const command of [write(block, pattern), "flush"]) {
    const said = virsh("qemu-monitor-command", uuid, "--hmp", `qemu-io -d ${deviceOf(uuid)} "${command}"`);
    if (said !== "") throw new Error(`qemu-io in ${uuid}: ${command}: ${said}`);
  }
}

/** The name that qemu itself knows the disk by: nobody else may write to it. */
function deviceOf(uuid: string): string {
  const lines = virsh("qemu-monitor-command", uuid, "--hmp", "info block");
  const device = /(\/machine\/peripheral\/virtio-disk0\S*)/.exec(lines)?.[1];
  if (device === undefined) throw new Error(`no disk in: ${lines}`);
  return device;
}

/** Throws unless every byte of the disk is what was written to it, and `below` where nothing was. */
export function expectBlocks(disk: string, capacity: number, blocks: Blocks, below: number): void {
  const commands: string[] = [];
  let end = 0;
  const expect = (pattern: number, from: number, to: number) => {
    if (to > from) commands.push("-c", `read -P ${pattern} ${from} ${to - from}`);
  };
  for (const [block, pattern] of [...blocks].sort(([a], [b]) => a - b)) {
    expect(below, end, offsetOf(block));
    end = offsetOf(block) + blockSize;
    expect(pattern, offsetOf(block), end);
  }
  expect(below, end, capacity);
  // It may be in use; what its VM has flushed is in the file.
  const said = execFileSync("qemu-io", ["-U", "-r", "-f", "qcow2", ...commands, disk], { encoding: "utf8" });
  if (/failed|error/i.test(said)) throw new Error(`${disk}: ${said}`);
}
