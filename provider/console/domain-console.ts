/** The serial console of a libvirt domain. `virsh console` goes through libvirt, so it needs no more rights than virsh itself. */
import { GuestLostError, VmsError } from "../errors.js";
import { type Deadline, poll } from "./deadline.js";
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
  readonly deadline: Deadline;
}

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
  const { connection, domain, log, secrets, deadline } = options;
  const argv = ["virsh", "--connect", connection, "console", domain, "--force"] as const;
  const dialogue = new Dialogue(startInTerminal([...argv], { log, secrets }), options);
  try {
    // virsh prints this line before anything of the guest's.
    await dialogue.expect(/Escape character is .*\n/, { what: "connection", deadline });
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
