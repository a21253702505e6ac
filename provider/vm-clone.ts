/** What Pulumi calls for a VmClone: the stub in resources/vm-clone.ts imports this at run time. */
import type { CheckResult } from "@pulumi/pulumi/dynamic/index.js";
import type { CloneSpec } from "./vm/spec.js";
import { checkVmClone, replacing } from "./vm-clone-inputs.js";
import type { Values, VmKind } from "./vm-kind.js";
import { vmProvider } from "./vm-provider.js";

export const vmClone: VmKind = {
  replacing,
  make: async (inputs, owner, context, options) =>
    (await import("./vm/clone.js")).cloneVm(inputs as unknown as CloneSpec, owner, context, options),
};

export function check(olds: Values | undefined, news: Values): Promise<CheckResult<Values>> {
  return Promise.resolve(checkVmClone(olds, news));
}

export const { diff, create, read, update, remove } = vmProvider(vmClone);

export { remove as delete };
