/**
 * The one place that starts programs of the host (execa is imported nowhere else). There is never a shell: an argument
 * is handed over as it is. Output is taken as text in the C locale, so that what is matched does not depend on the user's language.
 */
import { execa, ExecaError } from "execa";
import { cancelledBy, CommandError, VmsError } from "../errors.js";

export interface RunOptions {
  /** Written to the program's standard input, which is else empty. */
  readonly input?: string | undefined;
  /** In seconds; 60 by default, 0 for none. A program that takes longer is ended and reported. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly cwd?: string | undefined;
  /** Added to the caller's environment; undefined takes a variable out of it. */
  readonly env?: Record<string, string | undefined> | undefined;
  /** Called with each line of standard output and standard error as it comes; a carriage return ends one too. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** The program talks to the user's terminal itself; nothing is captured, or else what it says as an error. */
  readonly inherit?: boolean | "input and output" | undefined;
  /** File descriptors handed down as 3, 4, ... */
  readonly descriptors?: readonly number[] | undefined;
}

/** execa's types name only these; the number that counts is handed to the operating system as it is. */
type InheritedDescriptor = 3 | 4 | 5 | 6 | 7 | 8 | 9;

let terminalIsGone = false;

/**
 * To be called when the terminal was closed. A shell and the kernel tell that one after the other, and what is started from then on, to
 * take back what was made, must not be ended by it.
 */
export function leaveTerminal(): void {
  terminalIsGone = true;
}

const terminalSignals: ReadonlyMap<string, string> = new Map([
  ["SIGINT", "Ctrl-C"],
  ["SIGHUP", "its terminal, which was closed"],
]);

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program and returns what it printed. Throws CommandError where the status is not 0. */
export async function run(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const result = await attempt(argv, options);
  if (result.status !== 0)
    throw new CommandError(argv, result.status, result.stderr === "" ? result.stdout : result.stderr);
  return result;
}

/** Like `run`, but a status that is not 0 is a result, not an error. A program that cannot be started still throws. */
export async function attempt(argv: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> {
  const { input, timeout = 60, signal, cwd, env, onLine, inherit, descriptors = [] } = options;
  const [file, ...args] = argv;
  const talks = inherit === true || inherit === "input and output";
  const [output, errors] = [talks ? "inherit" : "pipe", inherit === true ? "inherit" : "pipe"] as const;
  try {
    // In a session of its own no signal of the terminal reaches it.
    const apart = terminalIsGone;
    const child = execa(file, args, {
      env: { LC_ALL: "C.UTF-8", LANGUAGE: "", ...env },
      stdio: [
        talks ? "inherit" : input === undefined ? "ignore" : "pipe",
        output,
        errors,
        ...(descriptors as readonly InheritedDescriptor[]),
      ],
      reject: false,
      detached: apart,
      all: onLine !== undefined,
      stripFinalNewline: true,
      ...(input === undefined ? {} : { input }),
      ...(timeout > 0 ? { timeout: timeout * 1000 } : {}),
      ...(signal === undefined ? {} : { cancelSignal: signal }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    if (onLine !== undefined) await eachLine(child.iterable({ from: "all", binary: true }), onLine);
    const result = await child;
    const stdout = typeof result.stdout === "string" ? result.stdout : "";
    const stderr = typeof result.stderr === "string" ? result.stderr : "";
    // Before it was in its session, and so before it was the program.
    if (apart && result.signal === "SIGHUP") return await attempt(argv, options);
    // What the terminal sends reaches the programs that we have started as well, sooner than we can tell them.
    const sent = result.signal === undefined ? undefined : terminalSignals.get(result.signal);
    if (sent !== undefined) throw new VmsError("cancelled", `${file} was stopped by ${sent}`);
    if (result.isCanceled) throw cancelledBy(signal?.reason);
    if (result.timedOut) throw new CommandError(argv, undefined, `${stderr}\nno answer within ${timeout} s`);
    if (result.exitCode !== undefined) return { status: result.exitCode, stdout, stderr };
    if (result.signal !== undefined) throw new CommandError(argv, undefined, `${stderr}\nended by ${result.signal}`);
    throw notStarted(argv, result.cause ?? result);
  } catch (error) {
    if (error instanceof ExecaError) throw notStarted(argv, error);
    throw error;
  }
}

/** A program that outlives this process. */
export interface Detached {
  /** Its status, once it has ended; undefined where it was ended by a signal. */
  readonly ended: Promise<number | undefined>;
}

/** Starts a program in a session of its own; what it says goes to the open file, a descriptor. */
export function startDetached(argv: readonly [string, ...string[]], file: number): Detached {
  const [program, ...args] = argv;
  const output = file as InheritedDescriptor;
  const child = execa(program, args, {
    detached: true,
    cleanup: false,
    reject: false,
    stdio: ["ignore", output, output],
  });
  // This process ends when its own work is done.
  child.unref();
  return {
    ended: child.then((result) => {
      if (result.exitCode === undefined && result.signal === undefined) throw notStarted(argv, result.cause ?? result);
      return result.exitCode;
    }),
  };
}

/** Programs that count upwards in place (`qemu-img -p`) end their lines with a carriage return only. */
async function eachLine(chunks: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split(/\r?\n|\r(?=[^\n])/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}

function notStarted(argv: readonly string[], cause: unknown): VmsError {
  const file = argv[0] ?? "";
  const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
  if (!missing)
    return new CommandError(argv, undefined, cause instanceof Error ? cause.message : String(cause), { cause });
  return new VmsError("requirement", `the program ${file} is not installed`, {
    hint: "Run: vms bootstrap",
    cause,
  });
}
