import { forceOff } from "../provider/vm/power.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";
import { tellOwner } from "./owner-notice.js";

export interface KillOptions {
  readonly name: string;
}

/** `vms kill`: off at once. What the guest had not written is lost. */
export async function run({ name }: KillOptions, context: CliContext): Promise<void> {
  const vm = await forceOff(connection, name);
  context.print(vm.outcome === "off already" ? `${vm.name} is off already` : `${vm.name} was forced off`);
  tellOwner(vm, context);
}
