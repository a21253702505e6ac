import { type Deadline, poll } from "../host/deadline.js";
import { hasEnded } from "./domain.js";
import { isGone } from "./dump.js";
import type { Connection } from "./virsh.js";

/** Waits until a domain is off, its guest has crashed, or somebody has removed it; whether it was in time. */
export async function awaitOff(
  connection: Connection,
  id: string,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const look = async (): Promise<true | undefined> => {
    try {
      return (await hasEnded(connection, id)) ? true : undefined;
    } catch (error) {
      if (await isGone(connection, id, error)) return true;
      throw error;
    }
  };
  return (await poll(look, { deadline, every: 500, signal })) === true;
}
