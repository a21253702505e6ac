/** What the registrations of the verbs share. */
import { InvalidArgumentError } from "commander";
import type { CliContext } from "./context.js";

/** Runs a verb with a context; a number that it returns is the process's status. */
export type Perform = (verb: (context: CliContext) => Promise<unknown>) => Promise<void>;

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

export function seconds(text: string): number {
  const given = wholeNumber(text);
  if (given === 0) throw new InvalidArgumentError("It must be one second or more.");
  return given;
}

/** For an option that may be repeated. */
export const collect = (text: string, before: string[] = []): string[] => [...before, text];
