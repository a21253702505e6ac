/** The guest agent: what can be asked of a running guest without a network (qemu's QGA protocol, through libvirt). */
import { hasCode, toVmsError, VmsError } from "../errors.js";
import { Deadline, poll } from "../host/deadline.js";
import { type Connection, virsh } from "./virsh.js";

const answerSeconds = 10;

/** Of a guest that is busy, or emulated on a busy host. In seconds. */
const lateSeconds = 60;

/** One QGA command and its answer. Throws where the agent does not answer in time or refuses. */
async function ask(
  connection: Connection,
  id: string,
  execute: string,
  args?: Record<string, unknown>,
  seconds: number = answerSeconds,
): Promise<unknown> {
  const command = JSON.stringify(args === undefined ? { execute } : { execute, arguments: args });
  const answer = await virsh(connection, ["qemu-agent-command", id, command, "--timeout", String(seconds)], {
    timeout: seconds + 10,
  });
  return (JSON.parse(answer) as { return: unknown }).return;
}

/** Whether the agent answers now, or within that time where it is less than the usual; a domain that is gone throws. */
export async function agentAnswers(
  connection: Connection,
  id: string,
  seconds: number = answerSeconds,
): Promise<boolean> {
  try {
    await ask(connection, id, "guest-ping", undefined, Math.min(answerSeconds, Math.max(1, Math.ceil(seconds))));
    return true;
  } catch (error) {
    if (hasCode(error, "gone", "unreachable", "permission", "cancelled")) throw error;
    return false;
  }
}

/**
 * The same of a guest that may be busy: asked again for so many seconds where its agent is late. One that is not connected, as in a
 * guest that has none, is not waited for.
 */
export async function awaitAgent(
  connection: Connection,
  id: string,
  { seconds = lateSeconds, signal }: Patience = {},
): Promise<boolean> {
  const look = async (): Promise<boolean | undefined> => {
    try {
      await ask(connection, id, "guest-ping");
      return true;
    } catch (error) {
      if (hasCode(error, "command")) return isLate(error) ? undefined : false;
      throw error;
    }
  };
  return (await poll(look, { deadline: new Deadline(seconds), signal })) === true;
}

/** For an agent that is late. */
export interface Patience {
  readonly seconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What libvirt, or virsh with it, does not answer in time; an agent that is not connected does not respond either. */
const isLate = (error: unknown): boolean =>
  /not available for now|didn't respond|timed out|no answer within/i.test(String(error));

/** The first 64 KiB of a file in the guest; undefined where it cannot be opened. */
export async function readGuestFile(connection: Connection, id: string, path: string): Promise<string | undefined> {
  let handle: unknown;
  try {
    handle = await ask(connection, id, "guest-file-open", { path, mode: "r" });
  } catch (error) {
    if (error instanceof Error && /No such file|failed to open file/i.test(error.message)) return undefined;
    throw error;
  }
  try {
    const read = (await ask(connection, id, "guest-file-read", { handle, count: 65536 })) as { "buf-b64": string };
    return Buffer.from(read["buf-b64"], "base64").toString("utf8");
  } finally {
    await ask(connection, id, "guest-file-close", { handle });
  }
}

/** Sets a user's password from a crypt(3) hash. */
export async function setPasswordHash(connection: Connection, id: string, user: string, hash: string): Promise<void> {
  await virsh(connection, ["set-user-password", id, user, hash, "--encrypted"]);
}

/**
 * Runs a program in the guest and waits for its end; `seconds` bounds that wait, and what an agent that is late takes comes on top.
 * `input` is what it reads on its standard input. A program is begun once, and its end is told once: neither can be asked again, so
 * both have time.
 */
export async function runInGuest(
  connection: Connection,
  id: string,
  path: string,
  args: readonly string[],
  seconds: number,
  { input, signal }: { readonly input?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<{ status: number; output: string }> {
  const soon = Math.max(answerSeconds, Math.min(seconds, lateSeconds));
  await awaitAgent(connection, id, { seconds: soon, signal });
  const order = {
    path,
    arg: args,
    "capture-output": true,
    ...(input === undefined ? {} : { "input-data": Buffer.from(input).toString("base64") }),
  };
  const started = (await ask(connection, id, "guest-exec", order, soon)) as { pid: number };
  const deadline = new Deadline(seconds);
  const look = async (): Promise<GuestExecStatus | undefined> => {
    const patience = Math.max(answerSeconds, Math.ceil(deadline.remaining / 1000));
    try {
      const { pid } = started;
      const state = (await ask(connection, id, "guest-exec-status", { pid }, patience)) as GuestExecStatus;
      return state.exited ? state : undefined;
    } catch (error) {
      // The program goes on while the agent of a busy guest is late.
      if (hasCode(error, "command") && /not responding|timed out|no answer within/i.test(String(error)))
        return undefined;
      throw error;
    }
  };
  const ended = await poll(look, { deadline, signal });
  if (ended === undefined) throw new VmsError("guest", `${path} did not end within ${seconds} s in the guest`);
  const output = [ended["out-data"], ended["err-data"]].map((data) =>
    Buffer.from(data ?? "", "base64").toString("utf8"),
  );
  return { status: ended.exitcode ?? -1, output: output.join("").trim() };
}

interface GuestExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly "out-data"?: string;
  readonly "err-data"?: string;
}

/** Where an address may be known, in the order in which they are asked. */
export type AddressSource = "lease" | "agent" | "arp";

export interface AddressSearch {
  readonly found: { readonly address: string; readonly source: AddressSource } | undefined;
  /** What each that was asked in vain said, empty where it knew nothing. */
  readonly inVain: readonly { readonly source: AddressSource; readonly said: string }[];
}

/** Looks for the guest's first address that others can use, IPv4 before IPv6. A late agent is waited for where that is said. */
export async function findAddress(connection: Connection, id: string, patience?: Patience): Promise<AddressSearch> {
  const inVain: { source: AddressSource; said: string }[] = [];
  for (const source of ["lease", "agent", "arp"] as const) {
    if (source === "agent" && patience !== undefined) await awaitAgent(connection, id, patience);
    const { table, said } = await interfaces(connection, id, source);
    const address = usableAddress(table);
    if (address !== undefined) return { found: { address, source }, inVain };
    inVain.push({ source, said });
  }
  return { found: undefined, inVain };
}

/** The address alone; undefined where it has none yet. */
export async function guestAddress(
  connection: Connection,
  id: string,
  patience?: Patience,
): Promise<string | undefined> {
  return (await findAddress(connection, id, patience)).found?.address;
}

/** No table where this source cannot tell, or not in time. */
async function interfaces(
  connection: Connection,
  id: string,
  source: AddressSource,
): Promise<{ table: string; said: string }> {
  try {
    const table = await virsh(connection, ["domifaddr", id, "--source", source], { timeout: answerSeconds });
    return { table, said: "" };
  } catch (error) {
    // Above it virsh says only what it wanted to know.
    if (hasCode(error, "command")) return { table: "", said: toVmsError(error).reason.split("\n").at(-1) ?? "" };
    throw error;
  }
}

/** Lines are: name, MAC, protocol, address/prefix. */
export function usableAddress(table: string): string | undefined {
  const found = [...table.matchAll(/\b(ipv4|ipv6)\s+([0-9a-f.:]+)\/\d+/g)].map((match) => match[2] ?? "");
  const usable = found.filter((address) => !/^(127\.|169\.254\.|::1$|fe80:)/.test(address));
  return usable.find((address) => address.includes(".")) ?? usable[0];
}
