/**
 * Bytes to and from a program that wants a terminal, such as `virsh console`.
 *
 * This is the one place beside host/command.ts that starts a program: a pseudo-terminal needs a fork of its own, which
 * execa does not offer. What is started is a program and its arguments here too, never a shell.
 */
import { closeSync, constants, openSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { type IPty, spawn } from "@lydell/node-pty";
import { ConsoleLog, hideSecrets } from "./console-log.js";
import { PlainText } from "./plain-text.js";

export interface TransportOptions {
  /** The file that everything is appended to. */
  readonly log?: string | undefined;
  /** Never written to the log nor quoted in an error. */
  readonly secrets?: readonly string[] | undefined;
  readonly env?: Record<string, string> | undefined;
}

/** How a program ended; `failure` where it was ended because its output could not be logged. */
export interface End {
  readonly status: number;
  readonly failure?: Error | undefined;
}

export interface Transport {
  /** Where the whole output is. */
  readonly log: string | undefined;
  /** Resolves once the program has ended and all its output was handed over. */
  readonly ended: Promise<End>;
  /** Hands over plain text as it comes, from the first byte on; there is one listener. */
  listen(listener: (text: string) => void): void;
  write(text: string): void;
  /** Writes a line of ours to the log. */
  note(text: string): void;
  /** Takes the secrets out. */
  hide(text: string): string;
  /** Ends the program and resolves when it has ended. */
  close(): Promise<void>;
}

/** Starts a program in a terminal of its own. Throws VmsError (permission) where the log cannot be opened. */
export function startInTerminal(argv: readonly [string, ...string[]], options: TransportOptions = {}): Transport {
  const { secrets = [] } = options;
  const [file, ...args] = argv;
  const log = options.log === undefined ? undefined : new ConsoleLog(options.log, secrets);
  const env = { ...process.env, LC_ALL: "C.UTF-8", LANGUAGE: "", ...options.env };
  const terminal = spawn(file, args, { name: "dumb", cols: 200, rows: 50, env, encoding: null });

  const decoder = new StringDecoder("utf8");
  const plain = new PlainText();
  let backlog = "";
  let listener = (text: string): void => void (backlog += text);
  let over = false;
  let failure: Error | undefined;

  const letGo = holdTerminal(terminal);
  const stop = (): void => {
    letGo();
    // A console client may catch the gentler signals, and it has nothing to save.
    if (!over) terminal.kill("SIGKILL");
  };
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failure ??= error as Error;
      stop();
    }
  };
  const hand = (text: string): void => {
    if (text === "") return;
    attempt(() => log?.write(text));
    listener(text);
  };

  // Without an encoding the pieces are buffers, whatever the type says.
  terminal.onData((piece: string | Buffer) => hand(plain.push(decoder.write(Buffer.from(piece as Buffer)))));
  const ended = new Promise<End>((resolve) => {
    terminal.onExit(({ exitCode, signal }) => {
      over = true;
      letGo();
      hand(plain.push(decoder.end()) + plain.flush());
      attempt(() => log?.close());
      resolve({ status: signal === undefined || signal === 0 ? exitCode : 128 + signal, failure });
    });
  });

  return {
    log: options.log,
    ended,
    listen: (next) => {
      const missed = backlog;
      backlog = "";
      listener = next;
      if (missed !== "") next(missed);
    },
    write: (text) => {
      if (!over) terminal.write(text);
    },
    note: (text) => {
      attempt(() => log?.note(text));
    },
    hide: (text) => hideSecrets(text, secrets),
    close: async () => {
      stop();
      await ended;
    },
  };
}

/**
 * Keeps the program's end of the terminal open, too, until it is let go of: the reader would take the program's end for the
 * end of the stream and lose what is still on its way, which is the most telling part where a guest has crashed.
 */
function holdTerminal(terminal: IPty): () => void {
  // Documented nowhere, but there since the first version; without it only the hold is missing.
  const { ptsName } = terminal as IPty & { readonly ptsName?: string };
  let file = ptsName === undefined ? undefined : openSync(ptsName, constants.O_RDWR | constants.O_NOCTTY);
  return () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
}
