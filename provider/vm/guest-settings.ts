/**
 * The settings of a VM that exists: what its guest is told in its credentials, changed in the persistent definition and, where it
 * runs, in the guest at once (guest/identity.sh). The guest is asked first: what it refuses is not defined either.
 */
import { createHash } from "node:crypto";
import { toVmsError, VmsError } from "../errors.js";
import { Deadline, pollUntil } from "../host/deadline.js";
import { type Credentials, definedCredentials, writeCredentials } from "../libvirt/credentials.js";
import { agentAnswers, runInGuest } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";
import { identityService } from "./identity.js";

const revision = "vms.revision";

/** In seconds: a locale takes a while to make where the processor is emulated. */
const applySeconds = 300;

const agentSeconds = 60;

/** The settings with a revision that is later than the one before: a guest takes no earlier one than it has. */
export function revise(wanted: Credentials, before: Credentials = {}): Credentials {
  const number = /^(\d{1,15})\./.exec(before[revision] ?? "")?.[1] ?? "0";
  const hash = createHash("sha256")
    .update(JSON.stringify(entriesOf(wanted)))
    .digest("hex");
  return { ...wanted, [revision]: `${Number(number) + 1}.${hash.slice(0, 16)}` };
}

/** The names of the settings that differ, without "vms.". */
export function changedSettings(before: Credentials, wanted: Credentials): string[] {
  const names = new Set([...entriesOf(before), ...entriesOf(wanted)].map(([name]) => name));
  return [...names].filter((name) => before[name] !== wanted[name]).map((name) => name.replace(/^vms\./, ""));
}

function entriesOf(credentials: Credentials): [string, string][] {
  return Object.entries(credentials)
    .filter(([name]) => name !== revision)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Changes them where they differ. Returns what was changed, and the way back for a VM that was off. */
export async function changeSettings(
  connection: Connection,
  uuid: string,
  settings: (now: Credentials) => Credentials,
  runs: boolean,
): Promise<{ readonly changed: readonly string[]; takeBack(): Promise<void> }> {
  const before = await definedCredentials(connection, uuid);
  const wanted = settings(before);
  const changed = changedSettings(before, wanted);
  const revised = revise(wanted, before);
  if (changed.length > 0) {
    if (runs) await applySettings(connection, uuid, revised);
    await writeCredentials(connection, uuid, revised);
  }
  return {
    changed,
    takeBack: async () => {
      // Later again, for a guest that has begun to take the others.
      if (changed.length > 0) await writeCredentials(connection, uuid, revise(before, revised));
    },
  };
}

async function applySettings(connection: Connection, uuid: string, settings: Credentials): Promise<void> {
  await requireAgent(connection, uuid);
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${Buffer.from(value).toString("base64")}\n`);
  const { status, output } = await runInGuest(connection, uuid, identityService, ["apply"], applySeconds, {
    input: lines.join(""),
  });
  if (status === 0) return;
  const reason = output.split("\n").findLast((line) => line.startsWith("error: "));
  if (reason !== undefined) {
    throw new VmsError("guest", `the guest refuses it: ${reason.slice("error: ".length)}`, {
      hint: /not taken back/.test(reason)
        ? "The VM's definition is as it was; what the guest could not take back is named above"
        : "The guest and the VM's definition are as they were",
    });
  }
  throw new VmsError("guest", `the guest's identity.sh ended with status ${status}: ${output.slice(-500)}`);
}

/** Throws where a running guest cannot be asked for anything. */
export async function requireAgent(connection: Connection, uuid: string): Promise<void> {
  // Under load it may take a while.
  if (await pollUntil(() => agentAnswers(connection, uuid), { deadline: new Deadline(agentSeconds) })) return;
  throw new VmsError("guest", "its guest agent does not answer, so nothing can be changed in the guest", {
    hint: "Look at its console, or shut it down: what it takes at a boot can be changed while it is off",
  });
}

/** An error that tells what of a change was done before. */
export function failedBehind(done: readonly string[], error: unknown): unknown {
  if (done.length === 0) return error;
  const { code, reason, hint } = toVmsError(error);
  return new VmsError(code, `${reason}\n  Changed before that: ${done.join(", ")}`, { hint, cause: error });
}
