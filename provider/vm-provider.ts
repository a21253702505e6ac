/** What Pulumi calls for a resource that is a VM. A preview needs no more than a difference, so what acts is loaded when it is called. */
import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic/index.js";
import { tellEngine } from "./engine-progress.js";
import { isUnknown } from "./inputs.js";
import { asksHost, changedInputs, diffVm, type Foresight } from "./vm-diff.js";
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

/** In a preview libvirt gets this long, in seconds, to say whether a VM runs: enough for a host that is busy. */
const previewSeconds = 5;

async function diff(kind: VmKind, olds: Values, news: Values): Promise<DiffResult> {
  const asks = changedInputs(olds, news).some((name) => asksHost.includes(name));
  const foresee = asks ? await foresightOf(olds, news) : () => undefined;
  const { lines, ...result } = diffVm(replacingOf(kind, news), olds, news, foresee);
  if (typeof news["resourceUrn"] === "string" && lines.length > 0) await tellEngine(news["resourceUrn"], lines);
  return result;
}

/** What makes a new VM by itself, and what the program's option replaceOnChanges adds to it: paths, of which the first name counts. */
function replacingOf({ replacing }: VmKind, news: Values): string[] {
  const paths = Array.isArray(news["replaceOnChanges"]) ? news["replaceOnChanges"].map(String) : [];
  const names = paths.map((path) => /^[^.[]*/.exec(path)?.[0] ?? "");
  return [...replacing, ...(names.includes("*") ? Object.keys(news) : names)];
}

/** What libvirt says of the VM now; nothing where it does not answer in time, or is not there. */
async function foresightOf(olds: Values, news: Values): Promise<Foresight> {
  const { uuid, connection } = olds;
  if (typeof uuid !== "string" || typeof connection !== "string") return () => undefined;
  try {
    const [{ readLive }, { takesLive }] = await Promise.all([
      import("./libvirt/live.js"),
      import("./vm/change-live.js"),
    ]);
    const live = await readLive(connection, uuid, previewSeconds);
    if (live === undefined) return () => false;
    return (name) => {
      const takes = takesLive[name];
      if (takes === undefined) return true;
      return isUnknown(news[name]) ? undefined : takes(live, news);
    };
  } catch {
    return () => undefined;
  }
}
