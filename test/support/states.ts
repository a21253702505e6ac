/** A small VM in each of the states that a verb may find one in. What runs uses up a processor: power it off soon. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dumpDomain, findDomain, setMark } from "../../provider/libvirt/domain.js";
import { markNamespace, type Phase } from "../../provider/libvirt/mark.js";
import { consoleLogPath, createConsoleLog } from "../../provider/storage/store.js";
import { createVm } from "../../provider/vm/create.js";
import { imageOwner } from "../../provider/vm/install-leftovers.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { eventually } from "./scene.js";
import { smallSpec } from "./small-vm.js";
import { connection, type TestStore, virsh } from "./store.js";

/** Returns its UUID; it is off. */
export async function makeOff({ settings, context }: TestStore, name: string, owner = commandLine): Promise<string> {
  return (await createVm(smallSpec(settings, name), owner, context)).uuid;
}

export const stateOf = (uuid: string): string => virsh("domstate", uuid);

/** As a run leaves it that was interrupted, or is at work. */
export async function leaveAt(uuid: string, phase: Phase): Promise<void> {
  const mark = (await findDomain(connection, uuid))?.mark;
  assert.ok(mark);
  await setMark(connection, uuid, { ...mark, phase });
}

/** Takes our mark away: it is anybody's domain then. */
export function makeForeign(uuid: string): void {
  virsh("metadata", uuid, "--uri", markNamespace, "--remove", "--config");
}

/** Its qemu dies, as by the host's lack of memory: libvirt has it as off, and remembers why. */
export async function crashQemu(uuid: string): Promise<void> {
  virsh("start", uuid, "--paused");
  const [pid] = execFileSync("pgrep", ["-f", `^qemu.*-uuid ${uuid}|qemu-system.*${uuid}`], { encoding: "utf8" }).split(
    "\n",
  );
  process.kill(Number(pid), "SIGKILL");
  await eventually(() => virsh("domstate", "--reason", uuid) === "shut off (crashed)", 60_000);
}

/** Its guest panics, and its definition keeps it for a look at its memory. */
export async function panicGuest(store: TestStore, uuid: string): Promise<void> {
  const xml = (await dumpDomain(connection, uuid))
    .replace("<on_crash>destroy</on_crash>", "<on_crash>preserve</on_crash>")
    .replace("</devices>", "<panic model='isa'/></devices>");
  const file = join(store.settings.images, "panic.xml");
  writeFileSync(file, xml);
  virsh("define", file);
  virsh("start", uuid);
  // What a kernel does that panics: it writes to the port of the device (QEMU's pvpanic).
  virsh("qemu-monitor-command", uuid, "--hmp", "o /1 0x505 1");
  await eventually(() => stateOf(uuid) === "crashed", 60_000);
}

/** As an install is, in the middle of its work, for a VM of that name. Returns its UUID. */
export async function makeInstall(store: TestStore, name: string, madeFor: string): Promise<string> {
  const uuid = await makeOff(store, name);
  const mark = (await findDomain(connection, uuid))?.mark;
  assert.ok(mark);
  await setMark(connection, uuid, { ...mark, owner: imageOwner, phase: "installing", madeFor });
  const log = consoleLogPath(store.settings, name);
  await createConsoleLog(log);
  appendFileSync(log, "installing packages\n");
  return uuid;
}
