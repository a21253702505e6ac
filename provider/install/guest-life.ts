/** Whether a guest that is being driven still lives, as libvirt says, and why it does not. */
import { Deadline, poll } from "../host/deadline.js";
import type { Dialogue, FatalLine, Loss } from "../console/expect.js";
import { hasCode, toVmsError } from "../errors.js";
import { domainState } from "../libvirt/domain.js";
import { virsh } from "../libvirt/virsh.js";

export interface Guest {
  /** The libvirt URI. */
  readonly connection: string;
  /** UUID or name of its domain. */
  readonly domain: string;
}

/** What a guest prints when it cannot go on, though its domain runs. */
export const signsOfDeath: readonly FatalLine[] = [
  { pattern: /Kernel panic - not syncing/, why: "the guest's kernel panicked" },
  { pattern: /You are in (emergency|rescue) mode/, why: "the guest could not boot and asks for maintenance" },
];

/** Milliseconds between two looks at a domain that should run. */
const watchInterval = 2000;

/** How long libvirt may take to notice that a guest is gone whose console ended, in seconds. */
const noticeLimit = 10;

/** Lets a domain run that was started paused. */
export async function resumeGuest({ connection, domain }: Guest): Promise<void> {
  const { state } = await domainState(connection, domain);
  if (state === "paused") await virsh(connection, ["resume", domain]);
}

/** Why a domain does not run; undefined where it does. */
export async function findLoss({ connection, domain }: Guest): Promise<Loss | undefined> {
  const { state, reason } = await domainState(connection, domain);
  const qemuLog = { hint: `Run: virsh --connect ${connection} domstate --reason ${domain}; see /var/log/libvirt/qemu` };
  if (state === "crashed" || reason === "crashed") return { why: `the domain crashed (${reason})`, ...qemuLog };
  if (state === "paused" && reason === "I/O error") {
    return {
      why: "its disk cannot be written, and libvirt paused it; the host's disk may be full",
      hint: "Run: df -h",
    };
  }
  if (state === "shut off" && reason === "destroyed") return { why: "somebody forced the domain off" };
  if (state === "shut off") return { why: "the guest powered itself off" };
  if (state === "paused" || state === "pmsuspended") return { why: `somebody paused the domain (${state}: ${reason})` };
  return undefined;
}

/** The same, and undefined where libvirt cannot tell: a host that is busy for a moment ends no boot. */
export async function findKnownLoss(guest: Guest): Promise<Loss | undefined> {
  try {
    return await findLoss(guest);
  } catch (error) {
    if (hasCode(error, "command")) return undefined;
    throw error;
  }
}

/** Why the console of a domain ended. */
export async function whyConsoleEnded(guest: Guest): Promise<Loss> {
  const loss = await poll(() => findLoss(guest), { deadline: new Deadline(noticeLimit) });
  return loss ?? { why: "its console was taken by another program, or libvirt was stopped, while the domain runs" };
}

/** Fails the dialogue as soon as the domain does not run any more; a paused domain, for one, keeps its console. */
export function watchGuest(guest: Guest, dialogue: Dialogue): { stop(): Promise<void> } {
  const over = new AbortController();
  const never = new Deadline(Infinity);
  const watch = async (): Promise<void> => {
    try {
      const loss = await poll(() => findKnownLoss(guest), {
        deadline: never,
        every: watchInterval,
        signal: over.signal,
      });
      if (loss !== undefined && !over.signal.aborted) dialogue.fail(() => dialogue.lost(loss));
    } catch (error) {
      if (!over.signal.aborted) dialogue.fail(() => toVmsError(error));
    }
  };
  const watching = watch();
  return {
    stop: async () => {
      over.abort();
      await watching;
    },
  };
}
