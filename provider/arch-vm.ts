/**
 * What Pulumi calls for an ArchVm: the stub in resources/arch-vm.ts imports this at run time. A preview needs `check` and `diff`
 * only, so what acts is loaded when it is called.
 */
import type { CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic/index.js";
import { changedInputs, diffArchVm } from "./arch-vm-diff.js";
import { checkArchVm } from "./arch-vm-inputs.js";
import { tellEngine } from "./engine-progress.js";

type Values = Record<string, unknown>;

/** In a preview libvirt gets this long, in seconds, to say whether a VM runs. */
const previewSeconds = 1;

export function check(olds: Values | undefined, news: Values): Promise<CheckResult<Values>> {
  return Promise.resolve(checkArchVm(olds, news));
}

export async function diff(_id: string, olds: Values, news: Values): Promise<DiffResult> {
  const needsHost = changedInputs(olds, news).includes("disk");
  const { lines, ...result } = diffArchVm(olds, news, needsHost ? await runsNow(olds) : undefined);
  if (typeof news["resourceUrn"] === "string" && lines.length > 0) await tellEngine(news["resourceUrn"], lines);
  return result;
}

export async function create(inputs: Values): Promise<CreateResult<Values>> {
  return (await import("./arch-vm-operations.js")).create(inputs);
}

export async function read(id: string, props: Values): Promise<ReadResult<Values>> {
  return (await import("./arch-vm-operations.js")).read(id, props);
}

export async function update(id: string, olds: Values, news: Values): Promise<UpdateResult<Values>> {
  return (await import("./arch-vm-operations.js")).update(id, olds, news);
}

export async function remove(id: string, props: Values): Promise<void> {
  await (await import("./arch-vm-operations.js")).remove(id, props);
}

export { remove as delete };

/** undefined: libvirt did not answer in time, or is not there. */
async function runsNow(olds: Values): Promise<boolean | undefined> {
  const { uuid, connection } = olds;
  if (typeof uuid !== "string" || typeof connection !== "string") return undefined;
  try {
    const { isOff } = await import("./libvirt/domain.js");
    return !(await isOff(connection, uuid, previewSeconds));
  } catch {
    return undefined;
  }
}
