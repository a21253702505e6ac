/**
 * At most so many guests boot or install at once as the host's cores can bear, over all processes: a slot is a lock file of which
 * there are so many, so that a process that dies gives its slot back.
 */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { Deadline, poll } from "./deadline.js";
import { storePaths } from "../paths.js";
import { type Lock, tryLock } from "./lock.js";

const pollMilliseconds = 500;

/** Emulated guests keep two cores busy each; with KVM a boot is short and mostly waits for the disk. */
export function slotCount(acceleration: "kvm" | "tcg", cores: number = availableParallelism()): number {
  return acceleration === "kvm" ? Math.max(2, cores) : Math.max(1, Math.floor(cores / 2));
}

/** Runs `work` in a slot; waits for a free one, and says so once. */
export async function inSlot<T>(acceleration: "kvm" | "tcg", context: Context, work: () => Promise<T>): Promise<T> {
  const slot = await takeSlot(slotCount(acceleration), context);
  try {
    return await work();
  } finally {
    await slot.release();
  }
}

async function takeSlot(count: number, context: Context): Promise<Lock> {
  const directory = storePaths(context.settings).lock;
  let told = false;
  const look = async (): Promise<Lock | undefined> => {
    for (let index = 0; index < count; index++) {
      const slot = await tryLock(join(directory, `slot-${index}`));
      if (slot !== undefined) return slot;
    }
    if (!told)
      context.progress.phase(
        `waiting: ${count === 1 ? "another guest is" : `${count} other guests are`} booting or installing`,
      );
    told = true;
    return undefined;
  };
  const slot = await poll(look, { deadline: new Deadline(Infinity), every: pollMilliseconds, signal: context.signal });
  if (slot === undefined) throw new VmsError("busy", "no other guest ended booting");
  return slot;
}
