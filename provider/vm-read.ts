/** What `pulumi refresh` calls: what is true of a VM now. It is said to be gone only where libvirt has listed all that it has. */
import type { ReadResult } from "@pulumi/pulumi/dynamic/index.js";
import type { Context } from "./context.js";
import { cannot } from "./errors.js";
import { findDomain } from "./libvirt/domain.js";
import { describeVm } from "./vm/describe.js";
import { tellLeftDisk } from "./vm/left-disk.js";
import { hasLostDisk, requireFilesBelow } from "./vm/lost-disk.js";
import type { Values } from "./vm-kind.js";
import { type AnySpec, contextOf, inputsOf, outputsOf, specOf } from "./vm-state.js";

export async function read(id: string, props: Values): Promise<ReadResult<Values>> {
  const spec = specOf(props);
  const context = contextOf(props);
  const { connection } = spec;
  try {
    const vm = await describeVm(connection, id);
    if (vm === undefined) {
      await tellLeftDisk(connection, spec.name, props["diskPath"], context);
      return {};
    }
    const inputs = inputsOf(props);
    // What libvirt says is what the next diff must compare with, where the program says anything.
    const { memory, cpus, autostart } = vm;
    const drift = Object.entries({ memory, cpus, autostart }).filter(([name]) => inputs[name] !== undefined);
    const truth = { ...inputs, ...Object.fromEntries(drift) };
    const phase = vm.phase === "ready" ? await phaseOfDisk(spec, id, context) : vm.phase;
    return { id, props: { ...props, ...truth, ...outputsOf(vm), phase }, inputs: truth };
  } catch (error) {
    throw cannot("read", "VM", spec.name, error);
  }
}

/** "lost" where nothing is left of what was on the disk of a VM that was ready. */
async function phaseOfDisk({ connection }: AnySpec, id: string, context: Context): Promise<string> {
  const domain = await findDomain(connection, id);
  if (domain?.mark === undefined) return "ready";
  if (await hasLostDisk(connection, { ...domain, mark: domain.mark }, context)) return "lost";
  const [top] = domain.disks;
  if (top !== undefined) await requireFilesBelow(top);
  return "ready";
}
