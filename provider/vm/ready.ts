/** A VM is ready when its guest agent answers, it has taken its identity on, and an address of it is known. */
import { readFile } from "node:fs/promises";
import type { Context } from "../context.js";
import { ConsoleTimeoutError, GuestLostError, hasCode, lastLines, VmsError } from "../errors.js";
import { Deadline, poll } from "../host/deadline.js";
import { findKnownLoss } from "../install/guest-life.js";
import { agentAnswers, guestAddress, readGuestFile } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";
import { identityReport, identityService, readIdentityReport } from "./identity.js";

export interface Booting {
  readonly connection: Connection;
  readonly uuid: string;
  readonly consoleLog: string;
  /** In seconds. */
  readonly limit: number;
  /** A clone of a system that somebody has changed: where our identity service is not in it, that is told, and is no failure. */
  readonly mayLackIdentity?: boolean;
}

/** Milliseconds between two looks at a guest that boots: each starts programs, on a host that may have to emulate the guest. */
const bootInterval = 1000;

/** Waits until the guest is ready and returns its address. */
export async function awaitReady(guest: Booting, context: Context): Promise<string> {
  const { connection, uuid } = guest;
  context.progress.detail("waiting for the guest agent");
  await awaitGuest(guest, context, "answer of the guest agent", async () =>
    (await agentAnswers(connection, uuid)) ? true : undefined,
  );
  if (guest.mayLackIdentity === true && !(await hasIdentityService(guest, context))) {
    context.progress.notice(
      "The guest does not have our identity service any more: its host name, machine-id and SSH host keys are its source's",
    );
  } else await awaitIdentity(guest, context);
  context.progress.detail("waiting for an address");
  return awaitGuest(guest, context, "address of the guest", () => guestAddress(connection, uuid));
}

async function awaitIdentity(guest: Booting, context: Context): Promise<void> {
  const { connection, uuid } = guest;
  context.progress.detail("taking its identity on");
  const report = await awaitGuest(guest, context, "report of the identity service", async () =>
    readIdentityReport((await readGuestFile(connection, uuid, identityReport)) ?? "", uuid),
  );
  if (report.failure !== undefined) {
    throw new VmsError("guest", `the guest could not take its identity on: ${report.failure}`, {
      hint: `The console is in ${guest.consoleLog}`,
    });
  }
}

async function hasIdentityService(guest: Booting, context: Context): Promise<boolean> {
  return awaitGuest(
    guest,
    context,
    "answer of the guest agent",
    async () => (await readGuestFile(guest.connection, guest.uuid, identityService)) !== undefined,
  );
}

async function awaitGuest<T>(
  guest: Booting,
  context: Context,
  awaited: string,
  probe: () => Promise<T | undefined>,
): Promise<T> {
  const look = async (): Promise<T | undefined> => {
    const loss = await findKnownLoss({ connection: guest.connection, domain: guest.uuid });
    if (loss !== undefined)
      throw new GuestLostError(loss.why, await tail(guest.consoleLog), guest.consoleLog, { hint: loss.hint });
    try {
      return await probe();
    } catch (error) {
      // The agent of a guest that is busy booting answers late, or not yet to everything.
      if (hasCode(error, "command")) return undefined;
      throw error;
    }
  };
  const result = await poll(look, { deadline: new Deadline(guest.limit), every: bootInterval, signal: context.signal });
  if (result !== undefined) return result;
  throw new ConsoleTimeoutError(awaited, guest.limit, await tail(guest.consoleLog), guest.consoleLog, {
    hint: "Look at the log. A slow host needs more time, in a program: timeouts: { boot: SECONDS }",
  });
}

/** What the console said last; nothing where its log cannot be read, for the error matters more. */
async function tail(path: string): Promise<string> {
  return lastLines(await readFile(path, "utf8").catch(() => ""), 15);
}
