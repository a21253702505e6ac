/** Powering a domain on, and seeing it off. */
import { hasCode } from "../errors.js";
import { Deadline, pollUntil } from "../host/deadline.js";
import { hasEnded, isOff, makePersistent } from "./domain.js";
import { type Connection, virsh } from "./virsh.js";

/** In seconds: for what is a matter of moments on a host that is not busy. */
const settleSeconds = 60;

/** Starts a domain that is off. */
export async function startDomain(
  connection: Connection,
  id: string,
  { paused = false, signal }: { readonly paused?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  let refusal: unknown;
  const starts = async (): Promise<boolean> => {
    try {
      await virsh(connection, ["start", id, ...(paused ? ["--paused"] : [])], { signal });
      return true;
    } catch (error) {
      // virtlogd may learn a while after libvirtd that the last run has ended, and holds its log until then.
      if (!/cannot open log file.*busy/is.test(String(error))) throw error;
      refusal = error;
      return false;
    }
  };
  if (!(await pollUntil(starts, { deadline: new Deadline(settleSeconds), signal }))) throw refusal;
}

/** Waits until a domain is off, or its guest has crashed; whether it was in time. */
export async function awaitOff(
  connection: Connection,
  id: string,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  return pollUntil(() => hasEnded(connection, id), { deadline, every: 500, signal });
}

/** Forces a domain off, and returns whether it had to; nothing where it is off. */
export async function killDomain(connection: Connection, uuid: string): Promise<boolean> {
  if (await isOff(connection, uuid)) return false;
  await makePersistent(connection, uuid);
  try {
    await virsh(connection, ["destroy", uuid]);
    return true;
  } catch (error) {
    if (hasCode(error, "gone") || (await isOff(connection, uuid))) return false;
    if (!/failed to terminate process/i.test(String(error))) throw error;
    // libvirt waits 15 s for a qemu that was killed; one that waits for its disk ends when that has answered.
    if (!(await pollUntil(() => isOff(connection, uuid), { deadline: new Deadline(settleSeconds) }))) throw error;
    return true;
  }
}
