/** Where programs are found. A plain user's PATH often lacks the directories of system programs that probes ask for. */
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Host } from "./requirement.js";

/** The caller's PATH, and behind it the directories of system programs. */
export function searchPath(host: Pick<Host, "root">): string {
  const system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map((directory) => join(host.root, directory));
  return [process.env["PATH"] ?? "/usr/bin:/bin", ...system].join(delimiter);
}

/** The path of a program, or undefined where it is not installed. */
export async function findProgram(host: Pick<Host, "root">, name: string): Promise<string | undefined> {
  for (const directory of searchPath(host).split(delimiter)) {
    const path = join(directory, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
