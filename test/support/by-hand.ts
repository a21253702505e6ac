/** VMs without a guest that a test clones and removes, and whose user does things to them by hand meanwhile. */
import { readdirSync } from "node:fs";
import type { Context } from "../../provider/context.js";
import { storePaths } from "../../provider/paths.js";
import type { Step } from "../../provider/steps.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { createVm } from "../../provider/vm/create.js";
import { removeVm } from "../../provider/vm/remove.js";
import { cloneSpec } from "./interruptible.js";
import { smallOwner, smallSpec } from "./small-vm.js";
import { connection, type TestStore } from "./store.js";

export interface Vm {
  readonly name: string;
  readonly uuid: string;
}

let counter = 0;
export const newName = () => `vms-test-hands-${process.pid}-${counter++}`;

/** `store` is asked each time: a test may have one of its own. */
export function byHand(store: () => TestStore) {
  return {
    make: async (name: string = newName()): Promise<Vm> => {
      return { name, uuid: (await createVm(smallSpec(store().settings, name), smallOwner, store().context)).uuid };
    },
    clone: async (source: Vm, context: Context = store().context): Promise<Vm> => {
      const name = newName();
      const spec = { ...cloneSpec(context.settings, source.name, name), autostart: false };
      return { name, uuid: (await cloneVm(spec, smallOwner, context)).uuid };
    },
    remove: ({ uuid }: Vm, context: Context = store().context) =>
      removeVm(connection, uuid, smallOwner, context, { shutdown: 0 }),
    bases: () => readdirSync(storePaths(store().settings).base),
    /** A context that does this the first time that the step is reached. */
    at: (step: Step, work: () => void): Context => {
      let done = false;
      const reached = (one: Step): void => {
        if (one !== step || done) return;
        done = true;
        work();
      };
      return { ...store().context, reached };
    },
  };
}
