import { cannot, CommandError, VmsError } from "../provider/errors.js";
import { attempt, type RunResult } from "../provider/host/command.js";
import { Deadline } from "../provider/host/deadline.js";
import { awaitOff } from "../provider/libvirt/power.js";
import { findDomain, isOff } from "../provider/libvirt/domain.js";
import { orWhereGone } from "../provider/libvirt/dump.js";
import { explain } from "../provider/libvirt/virsh.js";
import { findLog } from "../provider/vm/logs.js";
import { type Active, findActive } from "../provider/vm/running.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";
import { followWindow } from "./console-window.js";
import { followSource } from "./log.js";

export interface ConsoleOptions {
  readonly name: string;
  /** Takes the console from whoever has it. */
  readonly force?: boolean;
}

/** `vms console`: root on the serial line of a VM, in this terminal; of one that is being made, what it says. */
export async function run({ name, force }: ConsoleOptions, context: CliContext): Promise<number> {
  try {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw new VmsError("input", "a console needs a terminal, and there is none here", {
        hint: `What it said: vms log ${name}`,
      });
    }
    const phase = (await findDomain(connection, name))?.mark?.phase;
    if (phase !== "ready") return await watch(name, context);
    await attach(await findActive(connection, name), force === true, context);
    return 0;
  } catch (error) {
    throw cannot("open the console of", "VM", name, error);
  }
}

/** Nothing must be typed into an install: it drives the console itself. */
async function watch(name: string, context: CliContext): Promise<number> {
  const source = await findLog(connection, name, context);
  context.progress.notice(`${name} is being made: this shows what its console says. Leave with Ctrl-C`);
  return followSource(source, context);
}

async function attach(vm: Active, force: boolean, context: CliContext): Promise<void> {
  const { name, uuid } = vm;
  if (vm.paused) context.progress.notice(`${name} is paused: nothing answers until it goes on (vms start ${name})`);
  context.progress.notice(`The console of ${name}. Leave it with Ctrl-]; where nothing shows, press Enter`);
  // virsh puts the terminal into raw mode, watches for Ctrl-], and puts it back.
  const argv = ["virsh", "--quiet", "--connect", connection, "console", uuid, ...(force ? ["--force"] : [])] as const;
  const { status, stderr } = await context.handOverTerminal(() => inWindow(uuid, argv));
  // What powers off closes its console before libvirt has it as off.
  if (status !== 0 && (othersHaveIt(stderr) || !(await hasEnded(uuid))))
    throw refusal(new CommandError([...argv], status, stderr), name);
  context.write("\n");
  context.progress.notice(await howItEnded(vm));
}

async function inWindow(uuid: string, argv: readonly [string, ...string[]]): Promise<RunResult> {
  const window = followWindow(uuid);
  try {
    return await attempt(argv, { inherit: "input and output", timeout: 0 });
  } finally {
    window.close();
  }
}

/** A removal forgets a VM as soon as it is off. */
function hasEnded(uuid: string): Promise<boolean> {
  return orWhereGone(connection, uuid, () => awaitOff(connection, uuid, new Deadline(noticeLimit), undefined), true);
}

async function howItEnded({ name, uuid }: Active): Promise<string> {
  const off = await orWhereGone(connection, uuid, () => isOff(connection, uuid), "gone");
  if (off === "gone") return `${name} is gone`;
  return off ? `${name} is off` : `The console of ${name} is closed`;
}

/** In seconds: how long libvirt may take to notice that a guest is gone. */
const noticeLimit = 10;

const othersHaveIt = (said: string): boolean => /Active console session exists/i.test(said);

function refusal(error: CommandError, name: string): unknown {
  const options = {
    hint: `Take it from them: vms console ${name} --force. Or only look: vms log ${name} --follow`,
    cause: error,
  };
  if (othersHaveIt(error.stderr)) return new VmsError("busy", "somebody else has its console open", options);
  // How virsh says that its stream was closed.
  if (/stream had I\/O failure/i.test(error.stderr))
    return new VmsError("busy", "somebody else took its console, or libvirt was stopped", options);
  return explain(error, connection);
}
