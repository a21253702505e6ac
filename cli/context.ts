import type { Context } from "../provider/context.js";
import type { TerminalProgress } from "./terminal-progress.js";

/** What a verb is given. A verb never exits and never writes to the terminal by itself while a phase is shown. */
export interface CliContext extends Context {
  readonly progress: TerminalProgress;
  /** Aborts when standard output takes no more: the end of what does nothing but print. */
  readonly unheard: AbortSignal;
  /** Writes a line of the verb's result to standard output. */
  print(line: string): void;
  /** Writes a piece of the result that may be part of a line. */
  write(text: string): void;
  /**
   * Lets `work` start a program that talks to the user's terminal itself. The terminal sends that program Ctrl-C, so this
   * process does not react to it meanwhile: the program decides what it means and ends by itself.
   */
  handOverTerminal<T>(work: () => Promise<T>): Promise<T>;
}
