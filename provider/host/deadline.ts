/** Points in time by which something has to have happened. They are handed down, so that several waits share one limit. */
import { setTimeout as pause } from "node:timers/promises";
import { toVmsError } from "../errors.js";

/** The longest delay that a timer takes, in milliseconds. */
const longestTimer = 2 ** 31 - 1;

export class Deadline {
  readonly #end: number;

  /** `seconds` from now, on a clock that is not set back or forth. */
  constructor(readonly seconds: number) {
    this.#end = performance.now() + seconds * 1000;
  }

  /** Milliseconds that are left, never below 0; what a timer can be set to. */
  get remaining(): number {
    return Math.min(Math.max(0, this.#end - performance.now()), longestTimer);
  }

  get passed(): boolean {
    return this.remaining === 0;
  }

  /** The earlier of this and `seconds` from now. */
  within(seconds: number): Deadline {
    return new Deadline(Math.min(seconds, this.remaining / 1000));
  }
}

export interface PollOptions {
  readonly deadline: Deadline;
  /** Milliseconds between two looks, 250 by default; as many as the look took, where that is more: its host may be busy. */
  readonly every?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks until there is something, once at least; undefined where the deadline passes first.
 * Throws VmsError (cancelled), and what `look` throws.
 */
export async function poll<T>(look: () => Promise<T | undefined>, options: PollOptions): Promise<T | undefined> {
  const { deadline, every = 250, signal } = options;
  for (;;) {
    const begun = performance.now();
    const found = await look();
    if (found !== undefined || deadline.passed) return found;
    const rest = Math.max(every, performance.now() - begun);
    await sleep(Math.min(rest, deadline.remaining), signal);
  }
}

/** Asks until it holds, once at least; whether it did before the deadline. Throws as `poll` does. */
export async function pollUntil(holds: () => Promise<boolean>, options: PollOptions): Promise<boolean> {
  return (await poll(async () => ((await holds()) ? true : undefined), options)) === true;
}

/** Waits for so many milliseconds. Throws VmsError (cancelled). */
export async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await pause(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw toVmsError(error);
  }
}
