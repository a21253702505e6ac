/** Passwords are set through the guest agent, as crypt(3) hashes: they never stand in a definition. */
import { hasCode } from "../errors.js";
import { Deadline, poll } from "../host/deadline.js";
import { setPasswordHash } from "../libvirt/guest-agent.js";
import type { Connection } from "../libvirt/virsh.js";

/** By user; null locks the account. */
export type Passwords = Readonly<Record<string, string | null>>;

/** What shadow(5) has for an account that no password opens. */
const locked = "!";

const passwordSeconds = 60;

export async function setPasswords(connection: Connection, uuid: string, passwords: Passwords): Promise<void> {
  for (const [user, hash] of Object.entries(passwords)) {
    const set = async () => setPasswordHash(connection, uuid, user, hash ?? locked);
    // Under load the agent may take longer than libvirt waits for it.
    const done = await poll(async () => ((await succeeds(set)) ? true : undefined), {
      deadline: new Deadline(passwordSeconds),
    });
    if (done === undefined) await set();
  }
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
