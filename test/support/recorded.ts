/** What an operation shows, kept for a test to look at. */
import type { Context } from "../../provider/context.js";
import type { Progress } from "../../provider/progress.js";

export interface Recorded {
  readonly phases: string[];
  readonly details: string[];
  readonly notices: string[];
}

export function recordProgress(): Progress & Recorded {
  const recorded: Recorded = { phases: [], details: [], notices: [] };
  return {
    ...recorded,
    phase: (text) => void recorded.phases.push(text),
    detail: (text) => void recorded.details.push(text),
    notice: (text) => void recorded.notices.push(text),
  };
}

/** The context, with what is shown through it. */
export function recording(context: Context): Context & Recorded {
  const progress = recordProgress();
  const { phases, details, notices } = progress;
  return { ...context, progress, phases, details, notices };
}
