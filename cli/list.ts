import { describeVm, type VmDescription } from "../provider/vm/describe.js";
import { listDomains } from "../provider/libvirt/domain.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";
import { columns } from "./table.js";

export interface ListOptions {
  readonly json?: boolean;
}

interface Row extends VmDescription {
  readonly profile: string;
  /** "cli", or "stack:<fingerprint>". */
  readonly owner: string;
  readonly ownerLabel: string;
}

/** `vms list`: every VM that bears our mark, of the command line and of stacks. */
export async function run(options: ListOptions, context: CliContext): Promise<void> {
  const rows = await ownVms();
  if (options.json === true) context.print(JSON.stringify(rows, undefined, 2));
  else for (const line of table(rows)) context.print(line);
}

async function ownVms(): Promise<Row[]> {
  const domains = await listDomains(connection);
  const rows = await Promise.all(
    domains.map(async ({ uuid, mark }) => {
      if (mark === undefined) return undefined;
      const vm = await describeVm(connection, uuid);
      return vm && { ...vm, profile: mark.profile, owner: mark.owner.id, ownerLabel: mark.owner.label };
    }),
  );
  return rows.filter((row) => row !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function table(rows: readonly Row[]): string[] {
  if (rows.length === 0) return ["There are no VMs. Make one: vms create <name> --profile minimal"];
  const cells = rows.map(({ name, state, phase, profile, ipAddress, ownerLabel }) => [
    name,
    phase === "ready" ? state : `${state} (${phase})`,
    profile,
    ipAddress === "" ? "-" : ipAddress,
    ownerLabel,
  ]);
  return columns([["NAME", "STATE", "PROFILE", "ADDRESS", "OWNER"], ...cells]);
}
