import { type On, powerOn } from "../provider/vm/power.js";
import { announceVm } from "./announce.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";
import { tellOwner } from "./owner-notice.js";

export interface StartOptions {
  readonly name: string;
  /** Until it is ready: its guest agent answers and its address is known. */
  readonly wait?: boolean;
}

const words: Record<On, string> = {
  started: "was started",
  restored: "goes on with the memory that was saved",
  resumed: "was paused and goes on",
  "woken up": "was suspended and goes on",
  "crashed before": "had crashed and was started anew",
  "running already": "runs already",
};

/** `vms start`: starts a VM that is off, and lets one that is paused go on. */
export async function run({ name, wait }: StartOptions, context: CliContext): Promise<void> {
  const vm = await powerOn(connection, name, wait === true, context);
  context.print(`${vm.name} ${words[vm.outcome]}`);
  tellOwner(vm, context);
  if (wait === true) await announceVm(vm.name, vm.uuid, connection, context);
}
