import { describeVm } from "../provider/vm/describe.js";
import type { CliContext } from "./context.js";

/** What the maker of a VM wants to know first. */
export async function announceVm(name: string, uuid: string, connection: string, context: CliContext): Promise<void> {
  const vm = await describeVm(connection, uuid);
  const address = vm?.ipAddress ?? "";
  context.print(`${name} is ${vm?.state ?? "gone"}${address === "" ? "" : `, its address is ${address}`}`);
  const next =
    vm?.state === "running" ? `Console: vms console ${name}   Display: vms viewer ${name}` : `Start: vms start ${name}`;
  context.print(`${next}   Remove: vms destroy ${name}`);
}
