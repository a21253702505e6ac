/**
 * The pulumi process that this provider serves, found among its ancestors by /proc. The engine tells a provider neither whether
 * somebody watches nor, when it is killed, that it has gone: both are read off the process.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { VmsError } from "./errors.js";

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Of proc(5): Z is one that has ended. */
  readonly state: string;
  /** In clock ticks since the host started: tells two processes of one pid apart. */
  readonly started: string;
}

const watchMilliseconds = 1000;

const engine = findEngine();
let active = 0;

/** Whether somebody watches the live display: a terminal as pulumi's output, and no flag against it. Assumed where it is unknown. */
export function hasLiveDisplay(): boolean {
  if (engine === undefined) return true;
  try {
    const args = readFileSync(`/proc/${engine.pid}/cmdline`, "utf8").split("\0");
    const output = readlinkSync(`/proc/${engine.pid}/fd/1`);
    return /^\/dev\/(pts\/|tty)/.test(output) && !args.includes("--non-interactive");
  } catch {
    return true;
  }
}

/**
 * Runs `work` with a signal that is aborted when pulumi is gone: nobody would learn of what is done from then on, and the next
 * `pulumi up` would find it under way. When all work has ended then, so does this process.
 */
export async function whileEngineLives<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const timer = setInterval(() => {
    if (!engineLives()) gone.abort(new VmsError("cancelled", "pulumi has ended"));
  }, watchMilliseconds);
  active++;
  try {
    return await work(gone.signal);
  } finally {
    active--;
    clearInterval(timer);
    if (gone.signal.aborted && active === 0) process.exit(1);
  }
}

function engineLives(): boolean {
  if (engine === undefined) return true;
  const now = readProcess(engine.pid);
  return now?.started === engine.started && now.state !== "Z";
}

function findEngine(): Process | undefined {
  for (let found = readProcess(process.ppid); found !== undefined; found = readProcess(found.parent)) {
    if (nameOf(found.pid) === "pulumi") return found;
  }
  return undefined;
}

function nameOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Fields 3, 4 and 22 of /proc/PID/stat; they are counted from behind the name, which may hold anything. */
function readProcess(pid: number): Process | undefined {
  if (pid <= 1) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state: fields[0] ?? "", parent: Number(fields[1]), started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}
