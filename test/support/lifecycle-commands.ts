/** What can happen to VMs, as commands that fast-check puts into sequences: each does it and tells the model what must be so then. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import type { Context } from "../../provider/context.js";
import { Deadline, pollUntil } from "../../provider/host/deadline.js";
import { findDomain, isOff } from "../../provider/libvirt/domain.js";
import { killDomain } from "../../provider/libvirt/power.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { createVm } from "../../provider/vm/create.js";
import { removeVm } from "../../provider/vm/remove.js";
import { compactVm } from "../../provider/vm/shared-files.js";
import { runApart } from "./interrupt.js";
import { cloneSpec, interruptible, type Subject } from "./interruptible.js";
import type { Model, Vm } from "./lifecycle-model.js";
import { blockCount, expectBlocks, writeWhileOff, writeWhileOn } from "./small-disk.js";
import { imagePattern, smallCapacity, smallOwner, smallSpec } from "./small-vm.js";
import { connection, virsh } from "./store.js";

export interface Real {
  readonly context: Context;
  /** The name of the VM in a place. */
  readonly name: (place: number) => string;
}

/** At a place: the VM's there, or the one that is made there. */
type Work = (place: number, model: Model, real: Real) => Promise<void>;

const places = 4;
/** More steps than any operation has: some runs come to their end. */
const mostSteps = 15;

const newVm: Vm = { blocks: new Map(), runs: false };

/** Sequences of up to `most` commands. */
export function lifecycleCommands(most: number): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, Real>>> {
  const nth = fc.nat({ max: places - 1 });
  const step = fc.nat({ max: mostSteps });
  const creating = nth.map((one) => new Command("create", one, free, create));
  const writing = fc
    .tuple(nth, fc.nat({ max: blockCount - 1 }), fc.integer({ min: 1, max: 254 }))
    .map(
      ([one, block, pattern]) =>
        new Command(`write ${pattern} to block ${block} of`, one, there, write(block, pattern)),
    );
  const starting = nth.map((one) => new Command("start", one, off, start));
  const others = [
    nth.map((one) => new Command("compact", one, off, compact)),
    fc
      .tuple(nth, step)
      .map(([one, last]) => new Command(`behind step ${last}, crash the compaction of`, one, off, crashCompact(last))),
    nth.map((one) => new Command("kill", one, on, kill)),
    nth.map((one) => new Command("kill the qemu of", one, on, killQemu)),
    nth.map((one) => new Command("destroy", one, anything, destroy)),
    fc
      .tuple(nth, step)
      .map(([one, last]) => new Command(`behind step ${last}, crash the creation of`, one, free, crashCreate(last))),
    fc
      .tuple(nth, step)
      .map(([one, last]) => new Command(`behind step ${last}, crash the removal of`, one, there, crashDestroy(last))),
  ];
  const cloning = nth.map((one) => new Command("clone", one, cloneable, clone));
  const crashing = fc
    .tuple(nth, step)
    .map(([one, last]) => new Command(`behind step ${last}, crash the cloning of`, one, cloneable, crashClone(last)));
  // Listed as often as they are to come in proportion.
  const all = [
    creating,
    ...many(2, cloning),
    ...many(4, writing),
    ...many(2, starting),
    ...many(2, crashing),
    ...others,
  ];
  return fc.noBias(fc.commands(all, { maxCommands: most, size: "max" }));
}

const many = <T>(count: number, one: T): T[] => Array<T>(count).fill(one);

const free = (model: Model) => [...Array(places).keys()].filter((place) => !model.vms.has(place));
const there = (model: Model) => [...model.vms.keys()];
const on = (model: Model) => model.where(true);
const off = (model: Model) => model.where(false);
const cloneable = (model: Model) => (free(model).length > 0 ? there(model) : []);
const anything = (model: Model) => [...model.vms.keys(), ...model.left];

/** Is done to the nth of those it can be done to; after it every VM must be there with all that it wrote. */
class Command implements fc.AsyncCommand<Model, Real> {
  #place: number | undefined;

  constructor(
    private readonly title: string,
    private readonly nth: number,
    private readonly candidates: (model: Model) => number[],
    private readonly work: Work,
  ) {}

  check(model: Readonly<Model>): boolean {
    return this.candidates(model).length > 0;
  }

  async run(model: Model, real: Real): Promise<void> {
    const candidates = this.candidates(model);
    this.#place = candidates[this.nth % candidates.length];
    assert.ok(this.#place !== undefined);
    await this.work(this.#place, model, real);
    await expectAll(model, real);
  }

  toString(): string {
    return `${this.title} ${this.#place ?? "none"}`;
  }
}

async function expectAll(model: Model, real: Real): Promise<void> {
  for (const [place, { blocks, runs }] of model.vms) {
    const { uuid, disk } = await lookUp(place, real);
    assert.equal(!(await isOff(connection, uuid)), runs, `whether ${real.name(place)} runs`);
    expectBlocks(disk, smallCapacity, blocks, imagePattern);
  }
}

async function lookUp(place: number, { name }: Real): Promise<{ uuid: string; disk: string }> {
  const domain = await findDomain(connection, name(place));
  assert.equal(domain?.mark?.phase, "ready", name(place));
  const [disk = ""] = domain.disks;
  return { uuid: domain.uuid, disk };
}

const specOf = (place: number, { context, name }: Real) => smallSpec(context.settings, name(place));

const create: Work = async (place, model, real) => {
  await createVm(specOf(place, real), smallOwner, real.context);
  model.set(place, newVm);
};

const write =
  (block: number, pattern: number): Work =>
  async (place, model, real) => {
    const { uuid, disk } = await lookUp(place, real);
    const { blocks, runs } = model.get(place);
    if (runs) writeWhileOn(uuid, block, pattern);
    else writeWhileOff(disk, block, pattern);
    model.set(place, { blocks: new Map([...blocks, [block, pattern]]), runs });
  };

const start: Work = async (place, model, real) => {
  // Paused, it has its files open as any other that runs; firmware that looks for a system for ever would take a processor each.
  virsh("start", real.name(place), "--paused");
  model.set(place, { ...model.get(place), runs: true });
};

const kill: Work = async (place, model, real) => {
  await killDomain(connection, real.name(place));
  model.set(place, { ...model.get(place), runs: false });
};

const killQemu: Work = async (place, model, real) => {
  const name = real.name(place);
  process.kill(Number(readFileSync(`/run/libvirt/qemu/${name}.pid`, "utf8")), "SIGKILL");
  const options = { deadline: new Deadline(30), every: 50 };
  assert.ok(await pollUntil(() => isOff(connection, name), options), `${name} was killed`);
  model.set(place, { ...model.get(place), runs: false });
};

const destroy: Work = async (place, model, real) => {
  await removeVm(connection, real.name(place), smallOwner, real.context, { shutdown: 0 });
  assert.equal(await findDomain(connection, real.name(place)), undefined);
  model.remove(place);
};

const crashCreate =
  (last: number): Work =>
  async (place, model, real) => {
    await crash("create", { spec: specOf(place, real), id: "", state: {} }, last);
    await settle(place, newVm, model, real);
  };

const crashDestroy =
  (last: number): Work =>
  async (place, model, real) => {
    const { uuid } = await lookUp(place, real);
    const before = model.get(place);
    await crash("delete", { spec: specOf(place, real), id: uuid, state: {} }, last);
    await settle(place, before, model, real);
  };

/** Into the first place that is free. */
const clone: Work = async (place, model, real) => {
  const into = placeFor(model);
  const { settings } = real.context;
  await cloneVm(cloneSpec(settings, real.name(place), real.name(into)), smallOwner, real.context);
  model.set(into, { ...model.get(place), runs: false });
};

const crashClone =
  (last: number): Work =>
  async (place, model, real) => {
    const into = placeFor(model);
    const whole = { ...model.get(place), runs: false };
    await crash("clone", { spec: specOf(place, real), id: "", state: {}, clone: real.name(into) }, last);
    await settle(into, whole, model, real);
  };

function placeFor(model: Model): number {
  const [into] = free(model);
  assert.ok(into !== undefined);
  return into;
}

const compact: Work = async (place, _model, real) => {
  await compactVm(connection, real.name(place), real.context);
};

const crashCompact =
  (last: number): Work =>
  async (place, _model, real) => {
    await crash("compact", { spec: specOf(place, real), id: "", state: {} }, last);
  };

async function crash(title: string, subject: Subject, last: number): Promise<void> {
  const operation = interruptible.find((one) => one.title === title);
  assert.ok(operation, title);
  await runApart(operation, subject, last);
}

/** What says that it is ready must be all that it should be; of anything else nothing is promised. */
async function settle(place: number, whole: Vm, model: Model, { name }: Real): Promise<void> {
  const found = await findDomain(connection, name(place));
  if (found === undefined) model.remove(place);
  else if (found.mark?.phase === "ready") model.set(place, whole);
  else model.leave(place);
}
