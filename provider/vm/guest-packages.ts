/** Packages added to a VM that runs (guest/add-packages.sh): begun in the guest, followed until the end, which the guest tells in a file. */
import type { Context } from "../context.js";
import { hasCode, VmsError } from "../errors.js";
import { Deadline, poll } from "../host/deadline.js";
import { findKnownLoss } from "../install/guest-life.js";
import { moreTime } from "../install/steps.js";
import { readGuestFile, runInGuest } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";

const script = "/usr/lib/vms/add-packages.sh";
const report = "/run/vms/packages";

/** In seconds: looking at what is installed. */
const startSeconds = 120;

/** Whether it goes on in the guest, which must not be shut down under it. */
export function isStillInstalling(error: unknown): boolean {
  return error instanceof Error && (error instanceof StillInstallingError || isStillInstalling(error.cause));
}

class StillInstallingError extends VmsError {
  constructor(seconds: number) {
    super("guest", `the packages were not installed within ${seconds} s; the guest goes on with it`, {
      hint: `Run pulumi up again: it waits for what is under way. ${moreTime("profile", seconds)}`,
    });
    this.name = "StillInstallingError";
  }
}

/**
 * Installs what is missing of the packages, and upgrades the whole system with it; nothing where all are there. `seconds` bounds
 * all of it. Throws VmsError (guest) with the guest's reason.
 */
export async function addPackages(
  connection: Connection,
  uuid: string,
  names: readonly string[],
  seconds: number,
  context: Context,
): Promise<void> {
  const deadline = new Deadline(seconds);
  context.progress.phase(`adding packages: ${names.join(" ")}`);
  for (;;) {
    const begun = await begin(connection, uuid, names);
    if (begun === "nothing") return;
    if (begun === "busy")
      context.progress.phase("waiting: the guest is still adding packages that it was told to before");
    const failure = await follow(connection, uuid, seconds, deadline, context);
    if (begun === "busy") continue;
    if (failure === undefined) return;
    throw new VmsError("guest", `the guest could not add the packages: ${failure}`, {
      hint: "All that pacman said is in the guest's /run/vms/packages.log",
    });
  }
}

async function begin(connection: Connection, uuid: string, names: readonly string[]): Promise<string> {
  const { status, output } = await runInGuest(connection, uuid, script, ["start", ...names], startSeconds);
  const word = output.split("\n").findLast((line) => line !== "") ?? "";
  if (status === 0 && ["begun", "busy", "nothing"].includes(word)) return word;
  throw new VmsError("guest", `the guest could not begin to add packages: ${output.slice(-500)}`);
}

/** Until it has ended; returns why it failed. */
async function follow(
  connection: Connection,
  uuid: string,
  seconds: number,
  deadline: Deadline,
  context: Context,
): Promise<string | undefined> {
  const look = async (): Promise<{ failure?: string } | undefined> => {
    const loss = await findKnownLoss({ connection, domain: uuid });
    if (loss !== undefined) throw new VmsError("guest", `${loss.why} while packages were added`, { hint: loss.hint });
    const line = await readReport(connection, uuid);
    const [, done, total, text] = /^running (\d+) (\d+) (.*)$/.exec(line) ?? [];
    if (text !== undefined) context.progress.detail(`${done}/${total} ${text}`);
    if (line === "ok") return {};
    const failed = /^failed (.*)$/.exec(line)?.[1];
    return failed === undefined ? undefined : { failure: failed };
  };
  const ended = await poll(look, { deadline, every: 1000, signal: context.signal });
  if (ended === undefined) throw new StillInstallingError(seconds);
  return ended.failure;
}

/** Empty where the guest cannot be asked right now: the agent may be upgraded as well. */
async function readReport(connection: Connection, uuid: string): Promise<string> {
  try {
    return ((await readGuestFile(connection, uuid, report)) ?? "").trim();
  } catch (error) {
    if (hasCode(error, "command")) return "";
    throw error;
  }
}
