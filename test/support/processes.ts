/** What tests do to processes that they have started. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isErrno } from "../../provider/host/errno.js";

/** SIGKILL to a process and to all that it started, at once. */
export function killTree(pid: number | undefined): void {
  if (pid === undefined) throw new Error("it was never started");
  for (const one of [pid, ...descendants(pid)]) endProcess(one, "SIGKILL");
}

/** SIGKILL to a process alone; returns what it had started, which goes on. */
export function killAlone(pid: number | undefined): readonly number[] {
  if (pid === undefined) throw new Error("it was never started");
  // Stopped, it starts nothing more.
  endProcess(pid, "SIGSTOP");
  const left = descendants(pid);
  endProcess(pid, "SIGKILL");
  return left;
}

/** What it started comes and goes: one that is gone meanwhile is as good as ended. */
export function endProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/** The command of a process, its arguments behind NULs; empty where it is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT", "ESRCH")) return "";
    throw error;
  }
}

/** SIGKILL to the pulumi CLI alone; its providers do not hear of it. */
export function killCli(pid: number | undefined): void {
  if (pid === undefined) throw new Error("it was never started");
  const cli = [pid, ...descendants(pid)].find((one) => /^([^\0]*\/)?pulumi\0/.test(commandOf(one)));
  if (cli === undefined) throw new Error("there is no pulumi among what was started");
  process.kill(cli, "SIGKILL");
}

export function descendants(pid: number): number[] {
  const children = execFileSync("sh", ["-c", `cat /proc/${pid}/task/*/children 2>/dev/null || true`], {
    encoding: "utf8",
  });
  return children
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)
    .flatMap((child) => [child, ...descendants(child)]);
}
