/** What Pulumi calls for an ArchVm: the stub in resources/arch-vm.ts imports this at run time. */
import type { CheckResult } from "@pulumi/pulumi/dynamic/index.js";
import { checkArchVm, replacing } from "./arch-vm-inputs.js";
import type { VmSpec } from "./vm/spec.js";
import type { Values, VmKind } from "./vm-kind.js";
import { vmProvider } from "./vm-provider.js";

export const archVm: VmKind = {
  replacing,
  make: async (inputs, owner, context, options) =>
    (await import("./vm/create.js")).createVm(inputs as unknown as VmSpec, owner, context, options),
};

export function check(olds: Values | undefined, news: Values): Promise<CheckResult<Values>> {
  return Promise.resolve(checkArchVm(olds, news));
}

export const { diff, create, read, update, remove } = vmProvider(archVm);

export { remove as delete };
