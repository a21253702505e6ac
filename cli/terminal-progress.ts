/**
 * Progress for a person: on a terminal one live line, overwritten, with the time the phase has taken so far; a phase that is
 * over stays as a line that says how it ended and its time. Where there is no terminal, one plain line when a phase begins.
 */
import { hasCode } from "../provider/errors.js";
import type { Progress } from "../provider/progress.js";

type Outcome = "done" | "failed" | "stopped";

/** How a phase ended in which this was thrown. */
export const outcomeOf = (error: unknown): Outcome => (hasCode(error, "cancelled") ? "stopped" : "failed");

export interface TerminalProgress extends Progress {
  /** Ends the phase that is shown, so that something else can be written. Without an outcome it is done. */
  settle(outcome?: Outcome): void;
}

/** What is used of a stream. `columns` is there on a terminal. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

interface Phase {
  readonly text: string;
  readonly start: number;
  readonly timer: NodeJS.Timeout;
  detail: string;
}

const refreshMilliseconds = 250;
const clearLine = "\r\u001b[2K";

export function showProgress(screen: Screen, now: () => number = Date.now): TerminalProgress {
  return screen.isTTY === true ? liveProgress(screen, now) : plainProgress(screen);
}

function plainProgress(screen: Screen): TerminalProgress {
  const line = (text: string): void => void screen.write(`${text}\n`);
  return { phase: line, notice: line, detail: () => undefined, settle: () => undefined };
}

function liveProgress(screen: Screen, now: () => number): TerminalProgress {
  let current: Phase | undefined;
  const draw = (): void => {
    if (current === undefined) return;
    const detail = current.detail === "" ? "" : `: ${current.detail}`;
    screen.write(clearLine + fit(`${current.text}${detail} (${formatSeconds(now() - current.start)})`, screen.columns));
  };
  const settle = (outcome: Outcome = "done"): void => {
    if (current === undefined) return;
    clearInterval(current.timer);
    screen.write(`${clearLine}${current.text}... ${outcome} (${formatSeconds(now() - current.start)})\n`);
    current = undefined;
  };
  return {
    phase: (text) => {
      settle();
      // The timer must not keep the process alive.
      current = { text, detail: "", start: now(), timer: setInterval(draw, refreshMilliseconds).unref() };
      draw();
    },
    detail: (text) => {
      if (current === undefined) return;
      current.detail = text;
      draw();
    },
    notice: (text) => {
      screen.write(`${current === undefined ? "" : clearLine}${text}\n`);
      draw();
    },
    settle,
  };
}

/** A line that wraps could not be overwritten. */
function fit(text: string, columns: number | undefined): string {
  const width = (columns === undefined || columns === 0 ? 80 : columns) - 1;
  const line = text.replace(/\s+/g, " ");
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** "41 s" or "2 min 5 s". */
export function formatSeconds(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
