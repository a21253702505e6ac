import type { Progress } from "./progress.js";
import type { Settings } from "./settings.js";
import type { Step } from "./steps.js";

/** What every operation is given: where things are, how to tell how far it is, and when to give up. */
export interface Context {
  readonly settings: Settings;
  readonly progress: Progress;
  /** Aborted when the user cancels; every wait and every program that we run listens to it. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each step right after it is done. */
  reached?(step: Step): void;
}
