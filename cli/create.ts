import { checkArchVm } from "../provider/arch-vm-inputs.js";
import { cannot, toVmsError, VmsError } from "../provider/errors.js";
import { createVm } from "../provider/vm/create.js";
import { describeVm } from "../provider/vm/describe.js";
import { HalfMadeError } from "../provider/vm/half-made.js";
import { commandLine } from "../provider/vm/ownership.js";
import { removeVm } from "../provider/vm/remove.js";
import type { VmSpec } from "../provider/vm/spec.js";
import type { CliContext } from "./context.js";

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
  const spec = specOf(options);
  const uuid = await createOrDiscard(spec, context);
  const vm = await describeVm(spec.connection, uuid);
  context.print(
    `${spec.name} is ${vm?.state ?? "gone"}${vm?.ipAddress === undefined ? "" : `, its address is ${vm.ipAddress}`}`,
  );
  context.print(`Console: virsh -c ${spec.connection} console ${spec.name}   Remove: vms destroy ${spec.name}`);
}

function specOf(options: CreateOptions): VmSpec {
  const { inputs, failures } = checkArchVm(undefined, { ...options });
  if (failures.length > 0) {
    const lines = failures.map(({ property, reason }) => `${property}: ${reason}`);
    throw cannot(
      "create",
      "VM",
      options.name,
      new VmsError("input", lines.join("\n  "), { hint: "Try: vms create --help" }),
    );
  }
  return inputs as unknown as VmSpec;
}

async function createOrDiscard(spec: VmSpec, context: CliContext): Promise<string> {
  try {
    return (await createVm(spec, commandLine, context)).uuid;
  } catch (error) {
    // Not with the context's signal: it may be what stopped the create.
    if (error instanceof HalfMadeError) await discardHalfMade(spec, error, context);
    throw error;
  }
}

async function discardHalfMade(spec: VmSpec, failure: HalfMadeError, context: CliContext): Promise<void> {
  try {
    await removeVm(spec.connection, failure.uuid, commandLine, { ...context, signal: undefined }, { keepLog: true });
  } catch (error) {
    // The failure of the create matters more, and what it left is marked.
    context.progress.notice(
      `What was made of ${spec.name} is left (${toVmsError(error).reason}). Remove it: vms destroy ${spec.name}`,
    );
  }
}
