/**
 * The demo for one who is not root: what the host lacks is made ready first, with sudo and before their eyes (`vms bootstrap`), and
 * the rest runs with the libvirt group, which a login from before that does not have.
 */
import { findMissing } from "../provider/bootstrap.js";
import { cannot, VmsError } from "../provider/errors.js";
import { attempt } from "../provider/host/command.js";
import { needsNewLogin } from "../provider/host/membership.js";
import { libvirtGroup } from "../provider/host/requirement.js";
import type { CliContext } from "./context.js";

/** Set in the second run, which must not start a third. */
const marker = "VMS_DEMO_NODE";

/** The status of the run that has the group, where one was needed; undefined: go on in this process. */
export async function prepareAsUser(context: CliContext): Promise<number | undefined> {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return undefined;
  const missing = await findMissing(context, {});
  if (missing.some(({ requirement }) => requirement.fatal)) await (await import("./bootstrap.js")).run({}, context);
  if (!(await needsNewLogin(uid))) return undefined;
  if (process.env[marker] !== undefined) {
    const reason = `this login is not in the group ${libvirtGroup} yet`;
    throw cannot(
      "bring up",
      "demo",
      "dev",
      new VmsError("permission", reason, { hint: "Log in again and run: ./vms demo" }),
    );
  }
  return runInGroup(context);
}

/** `sg` takes a line for a shell; nothing that a user wrote is in it. */
async function runInGroup(context: CliContext): Promise<number> {
  const line = `exec "$${marker}" "$VMS_DEMO_MAIN" demo`;
  const env = { [marker]: process.execPath, VMS_DEMO_MAIN: process.argv[1] ?? "" };
  const argv = ["sg", libvirtGroup, "-c", line] as const;
  return context.handOverTerminal(async () => (await attempt(argv, { env, inherit: true, timeout: 0 })).status);
}
