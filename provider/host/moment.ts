/** Points in time that processes of one host can compare, on a clock that nobody sets: the kernel's monotonic one, of one boot. */
import { readFile } from "node:fs/promises";

/** "<the boot's id> <nanoseconds>" */
export type Moment = string;

export async function now(): Promise<Moment> {
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return `${boot} ${process.hrtime.bigint()}`;
}

/** Whether `one` is behind `other`; of two boots nobody can tell, which is no. */
export function isAfter(one: Moment, other: Moment): boolean {
  const [[boot, nanoseconds], [otherBoot, otherNanoseconds]] = [one.split(" "), other.split(" ")];
  if (boot !== otherBoot || !/^\d+$/.test(nanoseconds ?? "") || !/^\d+$/.test(otherNanoseconds ?? "")) return false;
  return BigInt(nanoseconds ?? "") > BigInt(otherNanoseconds ?? "");
}
