/** A conversation over a console: wait for what the other side says, with a limit, and say something. */
import { cancelledBy, ConsoleTimeoutError, GuestLostError, lastLines, toVmsError } from "../errors.js";
import type { Deadline } from "../host/deadline.js";
import { findAroundKernel } from "./kernel-messages.js";
import type { Transport } from "./transport.js";

export interface Wait {
  /** What is awaited, for the error: "login prompt". */
  readonly what: string;
  readonly deadline: Deadline;
  /** What to do where it does not come in time. */
  readonly hint?: string | undefined;
}

/** Looks at the text that is not consumed yet: how much of it is done with and, once it is there, what was looked for. */
export type Look<T> = (unread: string) => { readonly consumed: number; readonly found?: { readonly value: T } };

/** Why a guest is gone, and what to do about it. */
export interface Loss {
  readonly why: string;
  readonly hint?: string | undefined;
}

/** A line that no living guest prints, and what it means. */
export interface FatalLine extends Loss {
  readonly pattern: RegExp;
}

export interface DialogueOptions {
  readonly signal?: AbortSignal | undefined;
  readonly fatal?: readonly FatalLine[] | undefined;
  /** Asked when the console has ended; undefined where there is nothing to say but that. */
  readonly whyEnded?: (() => Promise<Loss | undefined>) | undefined;
}

/** What was not awaited in time is dropped beyond this many characters, so that no wait gets slower the longer it lasts. */
const mostUnread = 65_536;
const mostHistory = 16_384;

/** The markers of shell.ts tell a reader nothing. */
const markerLine = /^@@[0-9a-f:]+@@\n/gm;

interface Waiter {
  readonly look: () => void;
  readonly fail: (error: Error) => void;
  readonly what: string;
}

export class Dialogue {
  #unread = "";
  #history = "";
  #waiter: Waiter | undefined;
  /** Why nothing can be awaited any more, given what is awaited. */
  #failure: ((what: string) => Error) | undefined;
  readonly #over: Promise<void>;

  constructor(
    private readonly transport: Transport,
    private readonly options: DialogueOptions = {},
  ) {
    const { signal } = options;
    const cancel = (): void => this.fail(() => cancelledBy(signal?.reason));
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener("abort", cancel, { once: true });
    this.#over = transport.ended.then(async ({ failure }) => {
      signal?.removeEventListener("abort", cancel);
      if (failure !== undefined) this.fail(() => failure);
      // Nobody asks why a console ended that was given up.
      else if (this.#failure === undefined) await this.#explainEnd();
    });
    transport.listen((text) => this.#take(text));
  }

  /** Where the whole console is. */
  get log(): string | undefined {
    return this.transport.log;
  }

  /** Resolves when the program behind the console has ended. */
  get ended(): Promise<unknown> {
    return this.transport.ended;
  }

  /** Writes a line of ours to the log. */
  note(text: string): void {
    this.transport.note(text);
  }

  /** Types text; a line ends with `\n`. */
  send(text: string): void {
    this.transport.write(text);
  }

  /** The last lines that the console showed, without secrets. */
  lastLines(count = 12): string {
    return lastLines(this.hide(this.#history.replace(markerLine, "")), count);
  }

  /** Takes the secrets out. */
  hide(text: string): string {
    return this.transport.hide(text);
  }

  /**
   * Waits for a text or a pattern in what was not consumed before, and consumes up to its end. One wait at a time.
   * Throws ConsoleTimeoutError, GuestLostError, or VmsError (cancelled).
   */
  async expect(pattern: string | RegExp, wait: Wait): Promise<RegExpExecArray> {
    return await this.read(lookFor(pattern), wait);
  }

  /** Like `expect`, but undefined where it is not seen by then: its not coming is no error. */
  async glimpse(pattern: string | RegExp, wait: Wait): Promise<RegExpExecArray | undefined> {
    return await this.#await(lookFor(pattern), wait, () => undefined);
  }

  /** Like `expect`, for whatever `look` finds. */
  async read<T>(look: Look<T>, wait: Wait): Promise<T> {
    return await this.#await(look, wait, () => {
      throw new ConsoleTimeoutError(wait.what, wait.deadline.seconds, this.lastLines(), this.log, { hint: wait.hint });
    });
  }

  /** Ends the wait that is under way, and every later one that does not find what it awaits in what was already said. */
  fail(failure: (what: string) => Error): void {
    this.#failure ??= failure;
    if (this.#waiter !== undefined) this.#waiter.fail(this.#failure(this.#waiter.what));
  }

  /** The error for a guest that is gone. */
  lost({ why, hint }: Loss): GuestLostError {
    return new GuestLostError(why, this.lastLines(), this.log, { hint });
  }

  /** Ends the program behind the console. */
  async close(): Promise<void> {
    this.fail((what) => this.lost({ why: `the console was closed and there was no ${what}` }));
    await this.transport.close();
    await this.#over;
  }

  #take(text: string): void {
    // A line that comes in two pieces is seen as one.
    const seen = this.#history.slice(-256) + text;
    this.#unread = (this.#unread + text).slice(this.#waiter === undefined ? -mostUnread : 0);
    this.#history = (this.#history + text).slice(-mostHistory);
    this.#waiter?.look();
    const fatal = this.options.fatal?.find(({ pattern }) => pattern.test(seen));
    if (fatal !== undefined) this.fail(() => this.lost(fatal));
  }

  async #explainEnd(): Promise<void> {
    try {
      const loss = await this.options.whyEnded?.();
      this.fail((what) => this.lost(loss ?? { why: `the console ended and there was no ${what}` }));
    } catch (error) {
      this.fail(() => toVmsError(error));
    }
  }

  async #await<T>(look: Look<T>, { what, deadline }: Wait, onLate: () => T): Promise<T> {
    if (this.#waiter !== undefined) throw new Error(`two waits on one console: ${this.#waiter.what} and ${what}`);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        const fail = (error: unknown): void => {
          this.#waiter = undefined;
          reject(error instanceof Error ? error : toVmsError(error));
        };
        const step = (): void => {
          try {
            const { consumed, found } = look(this.#unread);
            this.#unread = this.#unread.slice(
              found === undefined ? Math.max(consumed, this.#unread.length - mostUnread) : consumed,
            );
            if (found === undefined) return;
            this.#waiter = undefined;
            resolve(found.value);
          } catch (error) {
            fail(error);
          }
        };
        const giveUp = (): void => {
          try {
            resolve(onLate());
          } catch (error) {
            fail(error);
          }
        };
        this.#waiter = { look: step, fail, what };
        step();
        timer = setTimeout(giveUp, deadline.remaining);
        if (this.#failure !== undefined) fail(this.#failure(what));
      });
    } finally {
      clearTimeout(timer);
      this.#waiter = undefined;
    }
  }
}

function lookFor(pattern: string | RegExp): Look<RegExpExecArray> {
  const expression = typeof pattern === "string" ? new RegExp(escapePattern(pattern)) : pattern;
  return (unread) => {
    const found = findAroundKernel(expression, unread);
    return found === undefined ? { consumed: 0 } : { consumed: found.end, found: { value: found.match } };
  };
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
