/**
 * Operations that are to be interrupted. Another one is tested by being named in this list: what it begins with, how it is run (in
 * a process of its own, by the provider's own code), and what must be true when it has been run to its end.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { archVm } from "../../provider/arch-vm.js";
import { converge, makeWhole } from "../../provider/vm-operations.js";
import type { Context } from "../../provider/context.js";
import { defineDomain, findDomain, isOff, startsWithHost } from "../../provider/libvirt/domain.js";
import { imageInfo } from "../../provider/storage/qemu-img.js";
import { type Operation, type Step, steps } from "../../provider/steps.js";
import type { Settings } from "../../provider/settings.js";
import { backingChain } from "../../provider/storage/chain.js";
import { parseSize } from "../../provider/storage/size.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { removeVm } from "../../provider/vm/remove.js";
import { compactVm } from "../../provider/vm/shared-files.js";
import type { CloneSpec, VmSpec } from "../../provider/vm/spec.js";
import { vmClone } from "../../provider/vm-clone.js";
import { readsInside, topOf, writeInside } from "./disk-content.js";
import { inputsOf, smallOwner, smallSpec } from "./small-vm.js";
import { connection, virsh } from "./store.js";
import { assertWhole } from "./whole-store.js";

/** What the operation works on; it goes to another process as JSON. */
export interface Subject {
  readonly spec: VmSpec;
  /** What Pulumi's state has of a VM that is there. */
  readonly id: string;
  readonly state: Readonly<Record<string, unknown>>;
  /** The name of what is cloned from it; "<its own>-clone" where that is not said. */
  readonly clone?: string;
}

export interface Interruptible {
  readonly title: string;
  /** Where it is killed. */
  readonly steps: readonly Step[];
  /**
   * Takes long: a run is killed behind the first step, the next one behind the second, and so on; only the last one goes to its end.
   * A step that comes more than once is killed behind each time, or the first time only.
   */
  readonly inARow?: "every time" | "first time";
  prepare(settings: Settings, name: string, context: Context): Promise<Subject>;
  run(subject: Subject, context: Context): Promise<void>;
  verify(subject: Subject, context: Context): Promise<void>;
}

/** Taken only with a guest that boots: interruptible-guest.ts. */
export const needsGuest: readonly Step[] = [
  ...stepsOf("install"),
  ...stepsOf("start"),
  ...stepsOf("stop"),
  "create: passwords set",
  "change: passwords set",
  "change: packages added",
];

export function stepsOf(operation: Operation): Step[] {
  return steps[operation].map((step) => `${operation}: ${step}` as Step);
}

const withoutGuest = (operation: Operation) => stepsOf(operation).filter((step) => !needsGuest.includes(step));

export const interruptible: readonly Interruptible[] = [
  {
    title: "create",
    steps: withoutGuest("create"),
    prepare: async (settings, name) => ({ spec: smallSpec(settings, name, { autostart: true }), id: "", state: {} }),
    run: create,
    verify: verifyVm,
  },
  {
    title: "create, where an interrupted one has left something",
    steps: withoutGuest("delete"),
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(smallSpec(settings, name), context);
      await changeMark(subject.id, (xml) => xml.replace('phase="ready"', 'phase="creating"'));
      return subject;
    },
    run: create,
    verify: verifyVm,
  },
  {
    title: "change",
    steps: withoutGuest("change"),
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(smallSpec(settings, name), context);
      // It is one of the changes to take that back.
      virsh("domrename", subject.id, `${name}-renamed`);
      return {
        ...subject,
        spec: smallSpec(settings, name, { memory: 192, cpus: 2, autostart: true, disk: "24M", hostname: "renamed" }),
      };
    },
    run: async ({ id, state, spec }, context) => {
      await converge(archVm, id, state, inputsOf(spec), context);
    },
    verify: async (subject, context) => {
      await verifyVm(subject, context);
      assert.ok(await findDomain(connection, subject.id), "it is the VM that it was");
    },
  },
  {
    title: "clone",
    steps: [...withoutGuest("clone"), ...withoutGuest("freeze")],
    prepare: makeSource,
    run: clone,
    verify: verifyClone,
  },
  {
    title: "clone of a VM that runs",
    steps: withoutGuest("freeze"),
    prepare: async (settings, name, context) => {
      const subject = await makeSource(settings, name, context);
      virsh("start", subject.id);
      return subject;
    },
    run: clone,
    verify: verifyClone,
  },
  {
    title: "compact",
    steps: withoutGuest("compact"),
    prepare: async (settings, name, context) => {
      const subject = await makeSource(settings, name, context);
      for (const one of ["1", "2"]) {
        writeInside(topOf(subject.id), "64k", "64k", 0x33);
        await cloneVm(cloneSpec(settings, name, `${name}-${one}`), smallOwner, context);
      }
      return subject;
    },
    run: async ({ spec }, context) => {
      await compactVm(connection, spec.name, context);
    },
    verify: async ({ id, spec: { name } }, { settings }) => {
      await assertWhole(settings, [name, `${name}-1`, `${name}-2`]);
      assert.equal((await backingChain(topOf(id))).length, 2, "the disk stands on the image");
      assert.ok(readsInside(topOf(id), "0", "64k", 0x22) && readsInside(topOf(id), "64k", "64k", 0x33));
    },
  },
  {
    title: "delete",
    steps: withoutGuest("delete"),
    prepare: (settings, name, context) => makeSubject(smallSpec(settings, name), context),
    run: remove,
    verify: (_subject, { settings }) => assertWhole(settings, []),
  },
  {
    title: "delete of a VM that runs",
    steps: ["delete: power-off awaited", "delete: marked", "delete: killed"],
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(smallSpec(settings, name), context);
      virsh("start", subject.id);
      return subject;
    },
    run: async ({ id }, context) => {
      await removeVm(connection, id, smallOwner, context, { shutdown: 1 });
    },
    verify: (_subject, { settings }) => assertWhole(settings, []),
  },
];

export const makesClone = (operation: Interruptible): boolean => operation.steps.includes("freeze: recorded");

export async function create({ spec }: Subject, context: Context): Promise<void> {
  await makeWhole(archVm, inputsOf(spec), smallOwner, context);
}

async function remove({ id }: Subject, context: Context): Promise<void> {
  // There is no guest in it that could power off.
  await removeVm(connection, id, smallOwner, context, { shutdown: 0 });
}

export function withClone(name: string): string[] {
  return [name, `${name}-clone`];
}

/** A VM with something on its disk. */
async function makeSource(settings: Settings, name: string, context: Context): Promise<Subject> {
  const subject = await makeSubject(smallSpec(settings, name), context);
  writeInside(topOf(subject.id), "0", "64k", 0x22);
  return subject;
}

export function cloneSpec(settings: Settings, source: string, name: string): CloneSpec {
  return { name, source, running: false, autostart: true, connection, timeouts: {}, settings };
}

export async function clone(
  { spec, clone }: Subject,
  context: Context,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { name, settings } = spec;
  const inputs = { ...cloneSpec(settings, name, clone ?? `${name}-clone`), resourceUrn: "", ...changes };
  await makeWhole(vmClone, inputs, smallOwner, context);
}

/** Source and clone are there, each with a top file of its own, and both read what was on the source's disk. */
async function verifyClone({ spec: { name } }: Subject, { settings }: Context): Promise<void> {
  await assertWhole(settings, withClone(name));
  for (const one of withClone(name)) {
    const domain = await findDomain(connection, one);
    assert.ok(domain);
    assert.ok(readsInside(topOf(domain.uuid), "0", "64k", 0x22), one);
    assert.equal(await startsWithHost(connection, domain.uuid), one !== name);
  }
}

/** A VM that is ready, and what Pulumi would keep of it. */
export async function makeSubject(spec: VmSpec, context: Context): Promise<Subject> {
  const { id, outs } = await makeWhole(archVm, inputsOf(spec), smallOwner, context);
  return { spec, id, state: outs };
}

async function changeMark(uuid: string, change: (xml: string) => string): Promise<void> {
  await defineDomain(connection, change(virsh("dumpxml", "--inactive", uuid)));
}

/** The VM is there once, as asked for, and nothing else is. */
export async function verifyVm({ spec }: Subject, { settings }: Context): Promise<void> {
  await assertWhole(settings, [spec.name]);
  const domain = await findDomain(connection, spec.name);
  assert.ok(domain);
  const { memory, mostMemory, cpus, mostCpus, disks } = domain;
  assert.deepEqual(
    { memory, mostMemory, cpus, mostCpus },
    { memory: spec.memory, mostMemory: spec.memory, cpus: spec.cpus, mostCpus: spec.cpus },
  );
  assert.equal(await startsWithHost(connection, domain.uuid), spec.autostart);
  const [disk = ""] = disks;
  assert.equal(await isOff(connection, domain.uuid), spec.running === false);
  const { capacity, backing } = await imageInfo(disk, { shared: true });
  assert.equal(capacity, parseSize(spec.disk));
  assert.ok(backing !== undefined && existsSync(backing));
}
