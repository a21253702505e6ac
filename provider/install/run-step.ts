/** Runs one step of an install in the guest's shell and says how it went. */
import type { Dialogue } from "../console/expect.js";
import type { CommandResult, Shell } from "../console/shell.js";
import { ConsoleTimeoutError, GuestLostError, InstallStepError, lastLines } from "../errors.js";
import type { Progress } from "../progress.js";
import { commandOf, type Limits, moreTime, type Step, timeoutOf } from "./steps.js";

export interface StepContext {
  readonly shell: Shell;
  readonly dialogue: Dialogue;
  readonly limits: Limits;
  readonly progress: Progress;
}

const progressLine = /^@vms progress (\d+) (\d+) (.*)$/;

/** The guest is to be booted again before the next step. */
const restartLine = "@vms restart";

/**
 * Tells whether the step asks for a restart. Throws InstallStepError where the step fails, takes too long or loses its guest;
 * VmsError (cancelled).
 */
export async function runStep(step: Step, context: StepContext): Promise<{ restart: boolean }> {
  const { shell, limits, progress, dialogue } = context;
  const limit = limits.step(step);
  progress.phase(step.title);
  dialogue.note(`step ${step.name}: ${step.title}, at most ${limit} s`);
  let restart = false;
  const onLine = (line: string): void => {
    if (line.trim() === restartLine) restart = true;
    const [, done, total, text] = progressLine.exec(line) ?? [];
    if (text !== undefined) progress.detail(`${step.name} ${done}/${total} ${text}`);
  };
  let result: CommandResult;
  try {
    result = await shell.run(commandOf(step), { timeout: limit, onLine });
  } catch (error) {
    if (error instanceof ConsoleTimeoutError) {
      const hint = moreTime(timeoutOf[step.where], limit);
      throw new InstallStepError(step.name, `did not end within ${limit} s`, error.lastLines, error.log, {
        hint,
        cause: error,
      });
    }
    if (error instanceof GuestLostError) {
      const { hint } = error;
      throw new InstallStepError(step.name, error.why, error.lastLines, error.log, { hint, cause: error });
    }
    throw error;
  }
  if (result.status === 0) return { restart };
  const said = result.output.split("\n").filter((line) => !progressLine.test(line) && line.trim() !== restartLine);
  const reason = said.findLast((line) => line.startsWith("error: "))?.slice("error: ".length);
  throw new InstallStepError(
    step.name,
    reason ?? `ended with status ${result.status}`,
    lastLines(said.join("\n"), 12),
    dialogue.log,
    { hint: step.hint },
  );
}
