import { type ListedVm, listVms } from "../provider/vm/list.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";
import { columns } from "./table.js";

export interface ListOptions {
  readonly json?: boolean;
}

/** `vms list`: every VM that bears our mark, of the command line and of stacks. */
export async function run({ json }: ListOptions, context: CliContext): Promise<void> {
  const vms = await listVms(connection, { whole: json === true });
  if (json === true) context.print(JSON.stringify(vms, undefined, 2));
  else for (const line of table(vms)) context.print(line);
}

function table(rows: readonly ListedVm[]): string[] {
  if (rows.length === 0) return ["There are no VMs. Make one: vms create <name>"];
  const cells = rows.map(({ name, state, phase, profile, ipAddress, ownerLabel }) => [
    name,
    phase === "ready" ? state : `${state} (${phase})`,
    profile,
    ipAddress === "" ? "-" : ipAddress,
    ownerLabel,
  ]);
  return columns([["NAME", "STATE", "PROFILE", "ADDRESS", "OWNER"], ...cells]);
}
