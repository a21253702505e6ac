/**
 * The demo for one who is not root: what the host lacks is made ready first, with sudo and before their eyes (`vms bootstrap`), and
 * the rest runs with the libvirt group, which a login from before that does not have.
 */
import { userInfo } from "node:os";
import { findMissing } from "../provider/bootstrap.js";
import { cannot, VmsError } from "../provider/errors.js";
import { attempt } from "../provider/host/command.js";
import { isMember, needsNewLogin } from "../provider/host/membership.js";
import { libvirtGroup } from "../provider/host/requirement.js";
import type { CliContext } from "./context.js";

/** Set in the second run, which must not start a third. */
const marker = "VMS_DEMO_NODE";

/** Makes the host ready, with what only root may do before the user's eyes. Returns the status of that. */
export async function prepareAsUser(context: CliContext): Promise<number> {
  if (process.getuid?.() === 0) return 0;
  const missing = await findMissing(context, {});
  if (!missing.some(({ requirement }) => requirement.fatal)) return 0;
  return (await import("./bootstrap.js")).run({}, context);
}

/** Whether what runs here has a group that the login does not have yet. */
export const isInGroupOnlyHere = (): boolean => process.env[marker] !== undefined;

/** The status of `vms demo FLAG` in a run that has the group, where one is needed; undefined: go on in this process. */
export async function runInGroup(flag: "" | "--down", context: CliContext): Promise<number | undefined> {
  // `sg` would ask one who is no member for a password that the group does not have.
  if (!(await needsNewLogin(process.getuid?.() ?? 0)) || !(await isMember(userInfo().username))) return undefined;
  if (isInGroupOnlyHere()) {
    const reason = `this login is not in the group ${libvirtGroup} yet`;
    const hint = `Log in again and run: ./vms demo ${flag}`.trim();
    throw cannot(flag === "" ? "bring up" : "remove", "demo", "dev", new VmsError("permission", reason, { hint }));
  }
  // `sg` takes a line for a shell; nothing that a user wrote is in it.
  const line = `exec "$${marker}" "$VMS_DEMO_MAIN" demo ${flag}`;
  const env = { [marker]: process.execPath, VMS_DEMO_MAIN: process.argv[1] ?? "" };
  const argv = ["sg", libvirtGroup, "-c", line] as const;
  return context.handOverTerminal(async () => (await attempt(argv, { env, inherit: true, timeout: 0 })).status);
}
