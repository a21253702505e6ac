/**
 * Operations that are to be interrupted. Another one is tested by being named in this list: what it begins with, how it is run (in
 * a process of its own, by the provider's own code), and what must be true when it has been run to its end.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { converge, makeWhole } from "../../provider/arch-vm-operations.js";
import type { Context } from "../../provider/context.js";
import { defineDomain, findDomain, startsWithHost } from "../../provider/libvirt/domain.js";
import { imageInfo } from "../../provider/storage/qemu-img.js";
import { type Operation, type Step, steps } from "../../provider/steps.js";
import type { Settings } from "../../provider/settings.js";
import { removeVm } from "../../provider/vm/remove.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { inputsOf, smallOwner, smallSpec } from "./small-vm.js";
import { connection, virsh } from "./store.js";
import { assertWhole } from "./whole-store.js";

/** What the operation works on; it goes to another process as JSON. */
export interface Subject {
  readonly spec: VmSpec;
  /** What Pulumi's state has of a VM that is there. */
  readonly id: string;
  readonly state: Readonly<Record<string, unknown>>;
}

export interface Interruptible {
  readonly title: string;
  /** Where it is killed. */
  readonly steps: readonly Step[];
  prepare(settings: Settings, name: string, context: Context): Promise<Subject>;
  run(subject: Subject, context: Context): Promise<void>;
  verify(subject: Subject, context: Context): Promise<void>;
}

/** Taken only with a guest that boots: tested by `npm run test:faults`. */
export const needsGuest: readonly Step[] = [
  ...stepsOf("install"),
  ...stepsOf("start"),
  ...stepsOf("stop"),
  "create: passwords set",
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
      return { ...subject, spec: smallSpec(settings, name, { memory: 192, cpus: 2, autostart: true, disk: "96M" }) };
    },
    run: async ({ id, state, spec }, context) => {
      await converge(id, state, inputsOf(spec), context);
    },
    verify: async (subject, context) => {
      await verifyVm(subject, context);
      assert.ok(await findDomain(connection, subject.id), "it is the VM that it was");
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
    steps: ["delete: marked", "delete: killed"],
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(smallSpec(settings, name), context);
      virsh("start", subject.id);
      return subject;
    },
    run: remove,
    verify: (_subject, { settings }) => assertWhole(settings, []),
  },
];

async function create({ spec }: Subject, context: Context): Promise<void> {
  await makeWhole(spec, inputsOf(spec), smallOwner, context);
}

async function remove({ id }: Subject, context: Context): Promise<void> {
  await removeVm(connection, id, smallOwner, context);
}

/** A VM that is ready, and what Pulumi would keep of it. */
async function makeSubject(spec: VmSpec, context: Context): Promise<Subject> {
  const { id, outs } = await makeWhole(spec, inputsOf(spec), smallOwner, context);
  return { spec, id, state: outs };
}

async function changeMark(uuid: string, change: (xml: string) => string): Promise<void> {
  await defineDomain(connection, change(virsh("dumpxml", "--inactive", uuid)));
}

/** The VM is there once, as asked for, and nothing else is. */
async function verifyVm({ spec }: Subject, { settings }: Context): Promise<void> {
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
  const { capacity, backing } = await imageInfo(disk);
  assert.equal(capacity, Number.parseInt(spec.disk) * 1024 ** 2);
  assert.ok(backing !== undefined && existsSync(backing));
}
