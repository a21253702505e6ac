/** Which distribution this is, by /etc/os-release (os-release(5)). */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "./errno.js";
import type { Host } from "./requirement.js";

export interface Distribution {
  /** Its ID: "debian", "arch", "linuxmint", ... */
  readonly id: string;
  /** What a person calls it. */
  readonly name: string;
  /** Whose packages it takes; "other" where we do not know their names. */
  readonly family: "arch" | "debian" | "other";
}

export async function readDistribution(host: Pick<Host, "root">): Promise<Distribution> {
  for (const file of ["/etc/os-release", "/usr/lib/os-release"]) {
    try {
      return parseOsRelease(await readFile(join(host.root, file), "utf8"));
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
    }
  }
  return { id: "linux", name: "a Linux without /etc/os-release", family: "other" };
}

export function parseOsRelease(text: string): Distribution {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Z_0-9]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (match !== null) values.set(match[1] ?? "", match[2] ?? match[3] ?? match[4] ?? "");
  }
  const id = values.get("ID") ?? "linux";
  const kin = [id, ...(values.get("ID_LIKE") ?? "").split(/\s+/)];
  const family = kin.includes("arch") ? "arch" : kin.includes("debian") || kin.includes("ubuntu") ? "debian" : "other";
  return { id, name: values.get("PRETTY_NAME") ?? values.get("NAME") ?? id, family };
}
