import { checkArchVm } from "../provider/arch-vm-inputs.js";
import { createVm } from "../provider/vm/create.js";
import { commandLine } from "../provider/vm/ownership.js";
import type { VmSpec } from "../provider/vm/spec.js";
import { announceVm } from "./announce.js";
import { requireValid } from "./checked.js";
import type { CliContext } from "./context.js";
import { makeOrDiscard } from "./half-made.js";

export interface CreateOptions {
  readonly name: string;
  readonly profile?: string;
  readonly iso?: string;
  readonly mirror?: string;
  readonly memory?: number;
  readonly cpus?: number;
  readonly disk?: string;
  readonly network?: string;
}

/** `vms create`: a VM of the command line's own. What fails leaves nothing half-made. */
export async function run(options: CreateOptions, context: CliContext): Promise<void> {
  const spec = requireValid("create", options.name, checkArchVm(undefined, { ...options })) as VmSpec;
  const { connection, name } = spec;
  const { uuid } = await makeOrDiscard(name, connection, context, () => createVm(spec, commandLine, context));
  await announceVm(name, uuid, connection, context);
}
