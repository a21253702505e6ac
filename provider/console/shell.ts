/**
 * A root shell on a serial console: log in, make the shell quiet, run commands and know how they ended.
 *
 * No prompt is ever matched but the login's. What we wait for is a marker around a nonce, typed as `@\@nonce` and printed
 * as `@@nonce`: its own echo, however a line editor redraws it, is never taken for it.
 */
import { randomBytes } from "node:crypto";
import { VmsError } from "../errors.js";
import { Deadline } from "../host/deadline.js";
import type { Dialogue, Look } from "./expect.js";
import { findAroundKernel } from "./kernel-messages.js";

export interface CommandOptions {
  /** In seconds. */
  readonly timeout: number;
  /** Called with each line that the command prints, as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface CommandResult {
  readonly status: number;
  /** What it printed on both streams; of very much, the last 2000 lines. */
  readonly output: string;
}

export interface Shell {
  /**
   * Runs one line of bash with an empty standard input. Kernel messages may stand in the midst of its output.
   * Throws ConsoleTimeoutError (what runs keeps running), GuestLostError, or VmsError (cancelled; input).
   */
  run(command: string, options: CommandOptions): Promise<CommandResult>;
}

/** `host login: `, but not the `Last login: ` of a greeting. */
const loginPrompt = /(?<![\w.-])(?!Last )[\w.-]+ login: /;

export interface LoginOptions {
  /** What to do where no prompt comes. */
  readonly hint?: string | undefined;
  /** Seconds without a prompt after which a getty is asked to print it again: a kernel message may have torn it. 20 by default. */
  readonly patience?: number | undefined;
}

/** Waits until a getty asks for a name, or logs root in by itself. Throws ConsoleTimeoutError, GuestLostError, VmsError (cancelled). */
export async function awaitLogin(dialogue: Dialogue, deadline: Deadline, options: LoginOptions = {}): Promise<void> {
  const { hint, patience = 20 } = options;
  const what = "login prompt";
  while (!deadline.passed) {
    const round = deadline.within(patience);
    if ((await dialogue.glimpse(loginPrompt, { what, deadline: round })) !== undefined) return;
    dialogue.send("\n");
  }
  await dialogue.expect(loginPrompt, { what, deadline, hint });
}

/** What is typed next where the guest says nothing that is understood, and after how many seconds. */
interface Act {
  readonly after: number;
  readonly type: string;
  readonly then: "shell" | "quiet" | "again";
}

/** Ctrl-U: drops what a line editor may hold half typed. */
const killLine = "\u0015";
const mostRefusals = 3;

/**
 * Logs root in at the prompt that was just seen, with an empty password where one is asked for, and makes the shell quiet:
 * bash without prompt, echo, line editing and history, and a kernel that keeps off the console. A line that is lost while
 * login and shell change the terminal is typed again.
 * Throws ConsoleTimeoutError, GuestLostError, or VmsError (guest: root cannot log in; cancelled).
 */
export async function logIn(dialogue: Dialogue, deadline: Deadline, hint?: string): Promise<Shell> {
  const what = "root shell";
  const nonce = makeNonce();
  const acts = {
    name: { after: 0.3, type: "root\n", then: "shell" },
    // The nonce reaches the quiet shell alone, so that no other shell can answer for it.
    shell: {
      after: 0.5,
      type: `${killLine} stty -echo; exec env TERM=dumb PS1= PS2= VMS_CONSOLE=${nonce} bash --norc --noprofile --noediting\n`,
      then: "quiet",
    },
    quiet: {
      after: 0.5,
      type: `${killLine} PS1=; PS2=; unset HISTFILE; stty -echo cols 400; dmesg -n 1; echo @\\@$VMS_CONSOLE@\\@\n`,
      then: "again",
    },
    again: { after: 4, type: "", then: "shell" },
  } satisfies Record<string, Act>;
  const events = new RegExp(
    `(?<ready>@@${nonce}@@\\n)|(?<name>${loginPrompt.source})|(?<automatic>\\(automatic login\\))|(?<password>Password: ?)|(?<refused>Login incorrect)`,
  );
  let refusals = 0;
  let rounds = 0;
  let next: keyof typeof acts = "name";
  while (!deadline.passed) {
    const act: Act = acts[next];
    // Less and less often: a terminal holds no more than 4 KiB that nobody has read yet.
    const after = next === "again" ? act.after * ++rounds : act.after;
    const seen = (await dialogue.glimpse(events, { what, deadline: deadline.within(after) }))?.groups;
    if (seen === undefined) {
      dialogue.send(act.type);
      next = act.then;
    } else if (seen["ready"] !== undefined) {
      return await takeShell(dialogue, deadline);
    } else if (seen["name"] !== undefined) {
      next = "name";
    } else if (seen["automatic"] !== undefined) {
      next = "shell";
    } else if (seen["password"] !== undefined) {
      dialogue.send("\n");
      next = "shell";
    } else if (++refusals === mostRefusals) {
      throw dialogue.lost({ why: "root cannot log in on its console without a password" });
    }
  }
  return await dialogue.read(() => ({ consumed: 0 }), { what, deadline, hint });
}

/** The shell on a console whose last word is a quiet bash; it first answers what was typed more than once. */
export async function takeShell(dialogue: Dialogue, deadline: Deadline): Promise<Shell> {
  const shell: Shell = { run: async (command, options) => await runCommand(dialogue, command, options) };
  await shell.run("true", { timeout: deadline.remaining / 1000 });
  return shell;
}

/** A line of a terminal in cooked mode holds no more bytes than this. */
const longestLine = 4000;
/** How many lines of a command's output are kept. */
const mostLines = 2000;

async function runCommand(dialogue: Dialogue, command: string, options: CommandOptions): Promise<CommandResult> {
  const nonce = makeNonce();
  const line = ` { ${command}; } </dev/null; echo @\\@${nonce}:$?@\\@\n`;
  // Control characters would be typed, and act.
  if (/\p{Cc}/u.test(command) || Buffer.byteLength(line) > longestLine) {
    throw new VmsError(
      "input",
      `a command for the console is not one short line: ${JSON.stringify(command.slice(0, 80))}`,
    );
  }
  const output = new OutputEnd();
  const deliver = (text: string): void => {
    const shown = dialogue.hide(text);
    output.add(shown);
    options.onLine?.(shown);
  };
  dialogue.send(line);
  const status = await dialogue.read(lookForStatus(nonce, deliver), {
    what: `end of "${command}"`,
    deadline: new Deadline(options.timeout),
  });
  return { status, output: output.text };
}

/** The last lines of an output. */
class OutputEnd {
  #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
    // Now and then, so that a line costs the same however many there are.
    if (this.#lines.length > 2 * mostLines) this.#lines = this.#lines.slice(-mostLines);
  }

  get text(): string {
    return this.#lines
      .slice(-mostLines)
      .map((line) => `${line}\n`)
      .join("");
  }
}

/** Delivers each complete line, until the marker gives the status. */
function lookForStatus(nonce: string, deliver: (line: string) => void): Look<number> {
  const marker = new RegExp(`@@${nonce}:(\\d+)@@\n`);
  const deliverLines = (text: string): void => {
    if (text === "") return;
    // What a carriage return overwrites is not delivered.
    for (const line of text.replace(/\n$/, "").split("\n")) deliver(line.slice(line.lastIndexOf("\r") + 1));
  };
  // The end of what was delivered: a torn marker begins there.
  let delivered = "";
  return (unread) => {
    const found = findAroundKernel(marker, delivered + unread);
    if (found !== undefined) {
      const past = delivered.length;
      deliverLines(unread.slice(0, Math.max(0, found.start - past)));
      return { consumed: found.end - past, found: { value: Number(found.match[1]) } };
    }
    const lines = unread.slice(0, unread.lastIndexOf("\n") + 1);
    deliverLines(lines);
    delivered = (delivered + lines).slice(-1024);
    return { consumed: lines.length };
  };
}

function makeNonce(): string {
  return randomBytes(6).toString("hex");
}
