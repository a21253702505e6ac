/** Users of this host that tests make, one after the other: the tools for that refuse to wait for one another. */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

const lock = "/run/lock/vms-test-users";

export function addUser(name: string, home: "--create-home" | "--no-create-home"): void {
  execFileSync("flock", [lock, "useradd", home, name]);
}

/** With its home directory, and also where it still runs something. */
export function removeUser(name: string): void {
  execFileSync("flock", [lock, "userdel", "--force", name], { stdio: "ignore" });
  rmSync(join("/home", name), { recursive: true, force: true });
}
