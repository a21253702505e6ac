import { setTimeout as delay } from "node:timers/promises";

const intervalMs = 500;

/** Asks again and again until there is an answer; undefined when `seconds` have passed. Throws where `signal` is aborted. */
export async function poll<T>(
  seconds: number,
  signal: AbortSignal | undefined,
  probe: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadline = Date.now() + seconds * 1000;
  do {
    const answer = await probe();
    if (answer !== undefined) return answer;
    await delay(intervalMs, undefined, signal === undefined ? {} : { signal });
  } while (Date.now() < deadline);
  return undefined;
}
