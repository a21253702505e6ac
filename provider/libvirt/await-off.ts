import { type Deadline, poll } from "../host/deadline.js";
import { hasEnded } from "./domain.js";
import type { Connection } from "./virsh.js";

/** Waits until a domain is off, or its guest has crashed; whether it was in time. */
export async function awaitOff(
  connection: Connection,
  id: string,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const look = async (): Promise<true | undefined> => ((await hasEnded(connection, id)) ? true : undefined);
  return (await poll(look, { deadline, every: 500, signal })) === true;
}
