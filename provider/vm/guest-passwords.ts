/** Passwords are set through the guest agent, as crypt(3) hashes: they never stand in a definition. */
import { hasCode, VmsError } from "../errors.js";
import { Deadline, pollUntil } from "../host/deadline.js";
import { runInGuest, setPasswordHash } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";

/** By user; null locks the account. */
export type Passwords = Readonly<Record<string, string | null>>;

const passwordSeconds = 60;

export async function setPasswords(connection: Connection, uuid: string, passwords: Passwords): Promise<void> {
  for (const [user, hash] of Object.entries(passwords)) {
    if (hash === null) await lockAccount(connection, uuid, user);
    else await setPassword(connection, uuid, user, hash);
  }
}

async function setPassword(connection: Connection, uuid: string, user: string, hash: string): Promise<void> {
  const set = (): Promise<void> => setPasswordHash(connection, uuid, user, hash);
  // Under load the agent may take longer than libvirt waits for it.
  if (!(await pollUntil(() => succeeds(set), { deadline: new Deadline(passwordSeconds) }))) await set();
}

/** What shadow(5) has for an account that no password opens; chpasswd, which the agent calls, may not take that for a hash. */
async function lockAccount(connection: Connection, uuid: string, user: string): Promise<void> {
  const args = ["--password", "!", user];
  const { status, output } = await runInGuest(connection, uuid, "usermod", args, passwordSeconds);
  if (status !== 0) throw new VmsError("guest", `the account ${user} could not be locked: ${output}`);
}

async function succeeds(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (hasCode(error, "command")) return false;
    throw error;
  }
}
