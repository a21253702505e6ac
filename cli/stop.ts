import { powerOff } from "../provider/vm/power.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";
import { tellOwner } from "./owner-notice.js";

export interface StopOptions {
  readonly name: string;
  /** In seconds: the guest's time to power off. */
  readonly timeout?: number;
}

/** `vms stop`: asks the guest to power off, and says who asked. It never forces it. */
export async function run({ name, timeout }: StopOptions, context: CliContext): Promise<void> {
  const vm = await powerOff(connection, name, timeout, context);
  const { outcome } = vm;
  context.print(
    outcome === "off already" ? `${vm.name} is off already` : `${vm.name} powered off (asked by ${outcome.by})`,
  );
  tellOwner(vm, context);
}
