import { describeVm } from "../provider/vm/describe.js";
import type { CliContext } from "./context.js";

/** What the maker of a VM wants to know first. */
export async function announceVm(name: string, uuid: string, connection: string, context: CliContext): Promise<void> {
  const vm = await describeVm(connection, uuid);
  const address = vm?.ipAddress ?? "";
  context.print(`${name} is ${vm?.state ?? "gone"}${address === "" ? "" : `, its address is ${address}`}`);
  context.print(`Console: vms console ${name}   Display: vms viewer ${name}   Remove: vms destroy ${name}`);
}
