/**
 * Random sequences of all that happens to VMs. VMS_TEST_SEQUENCES says how many; a failure says its seed and its path, and with
 * VMS_TEST_SEED that sequence comes again and is made as short as still fails.
 */
import fc from "fast-check";
import type { Context } from "../../provider/context.js";
import { removeVm } from "../../provider/vm/remove.js";
import { lifecycleCommands, type Real } from "../support/lifecycle-commands.js";
import { Model } from "../support/lifecycle-model.js";
import { publishSmallImage, smallOwner } from "../support/small-vm.js";
import { connection, makeStore, type TestStore } from "../support/store.js";
import { assertWhole, storeDomains } from "../support/whole-store.js";

const sequences = Number(process.env["VMS_TEST_SEQUENCES"] ?? "3");
const commands = Number(process.env["VMS_TEST_COMMANDS"] ?? "30");
const seed = process.env["VMS_TEST_SEED"];

describe("VMs that are created, cloned, written to, started, killed, destroyed and crashed (real libvirtd)", function () {
  this.timeout(0);
  let store: TestStore | undefined;
  let counter = 0;
  after(() => store?.remove());

  it(`lose no block and no file in ${sequences} sequences of up to ${commands} commands, and leave no file when all are gone`, async () => {
    const lifecycle = fc.asyncProperty(lifecycleCommands(commands), async (sequence) => {
      const { context } = (store ??= await makeSmallStore());
      const run = counter++;
      const real: Real = { context, name: (place) => `vms-test-life-${process.pid}-${run}-${place}` };
      try {
        await fc.asyncModelRun(() => ({ model: new Model(), real }), sequence);
        await removeAll(context);
      } catch (error) {
        // What a failure leaves is in no other sequence's way.
        await store.remove();
        store = undefined;
        throw error;
      }
    });
    const replay = seed === undefined ? { endOnFailure: true } : { seed: Number(seed) };
    await fc.assert(lifecycle, { numRuns: sequences, ...replay });
  });
});

async function makeSmallStore(): Promise<TestStore> {
  const made = makeStore();
  await publishSmallImage(made.settings, made.context);
  return made;
}

/** What crashes have left goes with the VM of its name, as whoever made it would remove it. */
async function removeAll(context: Context): Promise<void> {
  for (const { uuid } of await storeDomains(context.settings))
    await removeVm(connection, uuid, smallOwner, context, { shutdown: 0 });
  await assertWhole(context.settings, []);
}
