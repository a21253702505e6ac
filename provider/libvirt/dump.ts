/** Definitions as libvirt has them, of one domain or of all that there are. */
import { hasCode } from "../errors.js";
import { type Connection, virsh, virshEach } from "./virsh.js";

/** As `virsh dumpxml` takes them. */
export type DumpFlags = readonly string[];

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const isUuid = (id: string): boolean => uuidForm.test(id);

/** By the name or the UUID of a domain that libvirt lists. */
export async function findUuid(connection: Connection, id: string): Promise<string | undefined> {
  const lines = (await virsh(connection, ["list", "--all", "--uuid", "--name"])).split("\n");
  const domains = lines.map((line) => /^([0-9a-f-]{36})\s+(.*)$/.exec(line.trim()));
  return domains.find((match) => match?.[1] === id || match?.[2] === id)?.[1];
}

/** Whether that is what an error says, and libvirt lists no such domain: virsh says so as well where it has lost its connection. */
export async function isGone(connection: Connection, uuid: string, error: unknown): Promise<boolean> {
  return hasCode(error, "gone") && (await findUuid(connection, uuid)) === undefined;
}

/** What the work comes to, or `gone` where it fails because there is no such domain. */
export async function orWhereGone<T, G>(
  connection: Connection,
  uuid: string,
  work: () => Promise<T>,
  gone: G,
): Promise<T | G> {
  try {
    return await work();
  } catch (error) {
    if (await isGone(connection, uuid, error)) return gone;
    throw error;
  }
}

/** undefined only where libvirt lists no such domain. */
export async function dumpListed(connection: Connection, uuid: string, flags: DumpFlags): Promise<string | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await virsh(connection, ["dumpxml", ...flags, uuid]);
    } catch (error) {
      if (await isGone(connection, uuid, error)) return undefined;
      // One that is made again under its UUID has gone and come back between the two answers.
      if (!hasCode(error, "gone") || tries === mostTries) throw error;
    }
  }
}

const mostTries = 5;

/** Of all domains. */
export async function listUuids(connection: Connection): Promise<string[]> {
  return (await virsh(connection, ["list", "--all", "--uuid"])).split("\n").filter((line) => line !== "");
}

/**
 * Of all domains, without those that go meanwhile: in two processes of virsh, however many there are. Throws where one that is there
 * cannot be read: whoever asks about all must not miss it.
 */
export async function dumpAll(connection: Connection, flags: DumpFlags): Promise<string[]> {
  const uuids = await listUuids(connection);
  const texts = await virshEach(
    connection,
    uuids.map((uuid) => ["dumpxml", ...flags, uuid]),
  );
  const found: (string | undefined)[] = [];
  for (const [index, uuid] of uuids.entries()) found.push(texts[index] || (await dumpListed(connection, uuid, flags)));
  return found.filter((text) => text !== undefined);
}
