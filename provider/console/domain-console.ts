/** The serial console of a libvirt domain. `virsh console` goes through libvirt, so it needs no more rights than virsh itself. */
import { GuestLostError, VmsError } from "../errors.js";
import { Deadline, poll } from "../host/deadline.js";
import { Dialogue, type DialogueOptions } from "./expect.js";
import { startInTerminal } from "./transport.js";

export interface DomainConsoleOptions extends DialogueOptions {
  /** The libvirt URI. */
  readonly connection: string;
  /** UUID or name of a domain that is started, paused at best: then nothing of its boot is missed. */
  readonly domain: string;
  /** The file that everything is appended to. */
  readonly log: string;
  /** Never written to the log nor quoted in an error. */
  readonly secrets?: readonly string[] | undefined;
  /** Until when it is tried again. */
  readonly deadline: Deadline;
}

/** How long virsh may take to answer, in seconds. */
const answerLimit = 60;

/**
 * Attaches to the first serial console of a domain, taking it from whoever else has it. Tries again until the deadline
 * where virsh ends at once, as right after a start.
 * Throws VmsError: cancelled, guest (the console cannot be had), requirement (no virsh), permission (the log).
 */
export async function openDomainConsole(options: DomainConsoleOptions): Promise<Dialogue> {
  const { deadline, signal } = options;
  let refusal: unknown;
  const dialogue = await poll(
    async () => {
      try {
        return await attach(options);
      } catch (error) {
        if (!(error instanceof ConsoleRefusal)) throw error;
        refusal = error;
        return undefined;
      }
    },
    { deadline, signal },
  );
  if (dialogue !== undefined) return dialogue;
  throw new VmsError("guest", `its console cannot be opened: ${(refusal as Error).message}`, { cause: refusal });
}

class ConsoleRefusal extends Error {}

async function attach(options: DomainConsoleOptions): Promise<Dialogue> {
  const { connection, domain, log, secrets } = options;
  const argv = ["virsh", "--connect", connection, "console", domain, "--force"] satisfies [string, ...string[]];
  let connected = false;
  const dialogue = new Dialogue(startInTerminal(argv, { log, secrets }), {
    ...options,
    // Before that it is virsh that says why.
    whyEnded: async () => (connected ? await options.whyEnded?.() : undefined),
  });
  try {
    // virsh prints this line before anything of the guest's.
    await dialogue.expect(/Escape character is .*\n/, { what: "connection", deadline: new Deadline(answerLimit) });
    connected = true;
    return dialogue;
  } catch (error) {
    await dialogue.close();
    const said = dialogue.lastLines();
    if (/execvp\(3\) failed/.test(said))
      throw new VmsError("requirement", "the program virsh is not installed", { hint: "Run: vms bootstrap" });
    if (!(error instanceof GuestLostError)) throw error;
    throw new ConsoleRefusal(said.replace(/^error: /gm, ""));
  }
}
