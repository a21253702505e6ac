/** What is on a VM's disk, read and written as its guest would, but from outside. */
import { execFileSync } from "node:child_process";
import { virsh } from "./store.js";

/** Writes into the top file of a disk that nobody has open. */
export function writeInside(disk: string, offset: string, length: string, pattern: number): void {
  execFileSync("qemu-io", ["-f", "qcow2", "-c", `write -q -P ${pattern} ${offset} ${length}`, disk], { stdio: "pipe" });
}

export function readsInside(disk: string, offset: string, length: string, pattern: number): boolean {
  const script = `read -q -P ${pattern} ${offset} ${length}`;
  const said = execFileSync("qemu-io", ["-U", "-r", "-f", "qcow2", "-c", script, disk], { stdio: "pipe" });
  return !said.toString().includes("Pattern verification failed");
}

/** Throws where qemu-img finds the file damaged. */
export function requireWhole(disk: string): void {
  execFileSync("qemu-img", ["check", "-q", "-f", "qcow2", disk], { stdio: "pipe" });
}

/** The path of a domain's first disk, as it is defined. */
export function topOf(uuid: string): string {
  const line = virsh("domblklist", "--inactive", uuid, "--details").split("\n")[0] ?? "";
  return line.trim().split(/\s+/).at(-1) ?? "";
}
