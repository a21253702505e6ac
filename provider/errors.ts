/**
 * What every failure of this package is: one class, told apart by its `code`, with a hint that says what to do.
 *
 * `instanceof` is not reliable across two copies of the package (Pulumi evaluates stubs in its own process), so callers
 * compare `code`. A subclass exists only where it carries fields of its own.
 */

export type ErrorCode =
  | "input" // what the user gave cannot be used
  | "requirement" // the host lacks something
  | "permission" // the caller lacks a right
  | "command" // a program that we ran failed
  | "unreachable" // a daemon, mirror or server does not answer
  | "foreign" // a domain or a file of that name is not ours
  | "busy" // another process works on the same thing
  | "checksum" // a download is not what it should be
  | "console-timeout" // the guest did not say what was awaited
  | "step" // a step of the install failed
  | "guest" // the installed guest does not do what it must
  | "gone" // what was asked for does not exist
  | "cancelled" // the user stopped it
  | "unsupported"; // not built, or not possible here

export interface ErrorOptions {
  /** What to do about it: a command to run, where there is one. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

export class VmsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** The message without its hint. */
  readonly reason: string;

  constructor(code: ErrorCode, reason: string, options: ErrorOptions = {}) {
    super(
      options.hint === undefined ? reason : `${reason}\n  ${options.hint}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "VmsError";
    this.code = code;
    this.hint = options.hint;
    this.reason = reason;
  }
}

/** A program ended with a status that is not 0, by a signal, or could not be started (`status` undefined). */
export class CommandError extends VmsError {
  constructor(
    readonly argv: readonly string[],
    readonly status: number | undefined,
    readonly stderr: string,
    options: ErrorOptions = {},
  ) {
    const last = lastLines(stderr, 5);
    super(
      "command",
      `${argv[0] ?? ""} ${last === "" ? `ended with status ${status ?? "unknown"}` : `said: ${last}`}`,
      options,
    );
    this.name = "CommandError";
  }
}

/** The console stayed silent about what was awaited. `log` is the path of the whole console output. */
export class ConsoleTimeoutError extends VmsError {
  constructor(
    readonly awaited: string,
    readonly seconds: number,
    readonly lastLines: string,
    readonly log: string | undefined,
    options: ErrorOptions = {},
  ) {
    super(
      "console-timeout",
      `no ${awaited} on the console within ${seconds} s${quoteLines(lastLines)}${logLine(log)}`,
      options,
    );
    this.name = "ConsoleTimeoutError";
  }
}

/** The guest went away while something was awaited of it: it is off, it panicked, or its console ended. */
export class GuestLostError extends VmsError {
  constructor(
    readonly why: string,
    readonly lastLines: string,
    readonly log: string | undefined,
    options: ErrorOptions = {},
  ) {
    super("guest", `${why}${quoteLines(lastLines)}${logLine(log)}`, options);
    this.name = "GuestLostError";
  }
}

/** A named step of an install failed. */
export class InstallStepError extends VmsError {
  constructor(
    readonly step: string,
    reason: string,
    readonly lastLines: string,
    readonly log: string | undefined,
    options: ErrorOptions = {},
  ) {
    super("step", `step "${step}": ${reason}${quoteLines(lastLines)}${logLine(log)}`, options);
    this.name = "InstallStepError";
  }
}

/** `Cannot <verb> <noun> "<name>": <reason>`, the form of every error that a user meets; code, hint and cause are kept. */
export function cannot(verb: string, noun: string, name: string, cause: unknown): VmsError {
  const inner = toVmsError(cause);
  return new VmsError(inner.code, `Cannot ${verb} ${noun} ${JSON.stringify(name)}: ${inner.reason}`, {
    hint: inner.hint,
    cause,
  });
}

export function toVmsError(error: unknown): VmsError {
  if (error instanceof VmsError) return error;
  // What Node's own waits throw where their signal is aborted, whose reason is their cause.
  if (error instanceof Error && error.name === "AbortError") return cancelledBy(error.cause);
  const message = error instanceof Error ? error.message : String(error);
  return new VmsError("command", message, { cause: error });
}

/** What an operation ends with whose signal was aborted, from that signal's reason. */
export function cancelledBy(reason: unknown): VmsError {
  return new VmsError("cancelled", reason instanceof VmsError ? reason.reason : "it was stopped", { cause: reason });
}

export function hasCode(error: unknown, ...codes: ErrorCode[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}

/** The last `count` lines that are not empty. */
export function lastLines(text: string, count: number): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return lines.slice(-count).join("\n");
}

function quoteLines(lines: string): string {
  return lines === "" ? "" : `; its last lines:\n${lines.replace(/^/gm, "    | ")}`;
}

function logLine(log: string | undefined): string {
  return log === undefined ? "" : `\n  The whole console is in ${log}`;
}
