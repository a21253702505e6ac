/** What Pulumi calls for a resource that is a VM. A preview needs no more than a difference, so what acts is loaded when it is called. */
import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic/index.js";
import { tellEngine } from "./engine-progress.js";
import { guestInputs } from "./guest-change-words.js";
import { changedInputs, diffVm } from "./vm-diff.js";
import type { Values, VmKind } from "./vm-kind.js";

export interface VmProvider {
  readonly diff: (id: string, olds: Values, news: Values) => Promise<DiffResult>;
  readonly create: (inputs: Values) => Promise<CreateResult<Values>>;
  readonly read: (id: string, props: Values) => Promise<ReadResult<Values>>;
  readonly update: (id: string, olds: Values, news: Values) => Promise<UpdateResult<Values>>;
  readonly remove: (id: string, props: Values) => Promise<void>;
}

export function vmProvider(kind: VmKind): VmProvider {
  return {
    diff: (_id, olds, news) => diff(kind, olds, news),
    create: async (inputs) => (await import("./vm-operations.js")).create(kind, inputs),
    read: async (id, props) => (await import("./vm-read.js")).read(id, props),
    update: async (id, olds, news) => (await import("./vm-operations.js")).update(kind, id, olds, news),
    remove: async (id, props) => (await import("./vm-operations.js")).remove(id, props),
  };
}

/** In a preview libvirt gets this long, in seconds, to say whether a VM runs. */
const previewSeconds = 1;

async function diff(kind: VmKind, olds: Values, news: Values): Promise<DiffResult> {
  const needsHost = changedInputs(olds, news).some((name) => name === "disk" || guestInputs.includes(name));
  const { lines, ...result } = diffVm(kind.replacing, olds, news, needsHost ? await runsNow(olds) : undefined);
  if (typeof news["resourceUrn"] === "string" && lines.length > 0) await tellEngine(news["resourceUrn"], lines);
  return result;
}

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
