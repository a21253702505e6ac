/** What Pulumi calls to act on a VM: translates between Pulumi's properties and provider/vm. */
import type { CreateResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic/index.js";
import { changedInputs, outputNames, unsupportedChanges } from "./vm-diff.js";
import type { Context } from "./context.js";
import { whileEngineLives } from "./engine-process.js";
import { engineProgress } from "./engine-progress.js";
import { cannot, toVmsError, VmsError } from "./errors.js";
import { guestChangeOf } from "./guest-change.js";
import { limitsOf } from "./install/steps.js";
import { findDomain } from "./libvirt/domain.js";
import type { Owner } from "./libvirt/mark.js";
import { stackOwner } from "./owner.js";
import { handOver } from "./vm/adopt.js";
import { growDisk, setAutostart, setCpus, setMemory, setRunning } from "./vm/change.js";
import { consoleLogOf, describeVm, type VmDescription } from "./vm/describe.js";
import { changeGuest } from "./vm/guest-change.js";
import { HalfMadeError } from "./vm/half-made.js";
import { commandLine, requireOwn, withVm } from "./vm/ownership.js";
import { removeVm } from "./vm/remove.js";
import type { CloneSpec, VmSpec } from "./vm/spec.js";
import type { Values, VmKind } from "./vm-kind.js";

/** Of what is kept in state; raised when its meaning changes. */
const schemaVersion = 1;

export async function create(kind: VmKind, inputs: Values): Promise<CreateResult<Values>> {
  const urn = String(inputs["resourceUrn"]);
  const owner = stackOwner(urn, String(inputs["organization"]));
  return whileEngineLives((signal) => makeWhole(kind, inputs, owner, contextOf(inputs, signal)));
}

export async function read(id: string, props: Values): Promise<ReadResult<Values>> {
  const spec = specOf(props);
  const outputs = await describeVm(spec.connection, id);
  if (outputs === undefined) return {};
  const inputs = inputsOf(props);
  // What libvirt says is what the next diff must compare with, where the program says anything.
  const { memory, cpus, autostart } = outputs;
  const drift = Object.entries({ memory, cpus, autostart }).filter(([name]) => inputs[name] !== undefined);
  const truth = { ...inputs, ...Object.fromEntries(drift) };
  return { id, props: { ...props, ...truth, ...outputsOf(outputs) }, inputs: truth };
}

/** What is shown of a VM and is no input. */
function outputsOf(vm: VmDescription): Values {
  const outputs: readonly string[] = [...outputNames, "name"];
  return Object.fromEntries(Object.entries(vm).filter(([name]) => outputs.includes(name)));
}

export function update(kind: VmKind, id: string, olds: Values, news: Values): Promise<UpdateResult<Values>> {
  return whileEngineLives((signal) => converge(kind, id, olds, news, contextOf(news, signal)));
}

/** Changes the VM to what the inputs say, and makes a half-made one whole. */
export async function converge(
  kind: VmKind,
  id: string,
  olds: Values,
  news: Values,
  context: Context,
): Promise<UpdateResult<Values>> {
  const spec = specOf(news);
  const owner = ownerOf(olds);
  if (olds["phase"] !== "ready") {
    const { outs } = await makeWhole(kind, news, owner, context, id);
    return { outs };
  }
  const changed = changedInputs(olds, news);
  const unsupported = unsupportedChanges(changed);
  if (unsupported.length > 0) {
    throw cannot(
      "change",
      "VM",
      spec.name,
      new VmsError("unsupported", `this version cannot change ${unsupported.join(", ")} in a VM that exists`, {
        hint: `Take the change back, or make a new VM of it: pulumi up --target-replace '${String(news["resourceUrn"])}'`,
      }),
    );
  }
  try {
    await withVm(spec.name, context, () => applyChanges(id, spec, changed, olds, owner, context));
  } catch (error) {
    throw cannot("change", "VM", spec.name, error);
  }
  return { outs: await outsOf(id, news, owner) };
}

export async function remove(id: string, props: Values): Promise<void> {
  const spec = specOf(props);
  await whileEngineLives((signal) => removeVm(spec.connection, id, ownerOf(props), contextOf(props, signal)));
}

async function applyChanges(
  id: string,
  spec: AnySpec,
  changed: readonly string[],
  olds: Values | undefined,
  owner: Owner,
  context: Context,
): Promise<void> {
  const { connection } = spec;
  const found = await findDomain(connection, id);
  if (found === undefined)
    throw new VmsError("gone", "its domain is gone", { hint: "Run: pulumi refresh, then pulumi up" });
  const domain = requireOwn(found, owner);
  const { acceleration } = domain;
  context.progress.phase("changing");
  if (spec.memory !== undefined) await setMemory(connection, domain, spec.memory);
  context.reached?.("change: memory set");
  if (spec.cpus !== undefined) await setCpus(connection, domain, spec.cpus);
  context.reached?.("change: cpus set");
  if (changed.includes("disk") && spec.disk !== undefined) await growDisk(connection, domain, spec.disk);
  context.reached?.("change: disk grown");
  if (changed.includes("autostart")) await setAutostart(connection, id, spec.autostart);
  context.reached?.("change: autostart set");
  const limits = limitsOf(acceleration, spec.timeouts);
  const vm = { connection, uuid: id, consoleLog: consoleLogOf(domain), acceleration, limits };
  const guest = guestChangeOf(spec, id, olds, changed);
  if (guest !== undefined) await changeGuest(vm, guest, spec.running, context);
  await setRunning(vm, spec.running, context);
}

/** Creates the VM, or makes a half-made one whole; where that fails with a domain there, Pulumi is told so that it keeps the record. */
export async function makeWhole(
  kind: VmKind,
  inputs: Values,
  owner: Owner,
  context: Context,
  uuid?: string,
): Promise<{ id: string; outs: Values }> {
  const spec = specOf(inputs);
  let known = uuid;
  try {
    const made = await kind.make(inputs, owner, context, { takeOver: true, ...(uuid === undefined ? {} : { uuid }) });
    const id = made.uuid;
    // Of one that is taken over from somebody else nothing is recorded until it is this owner's.
    if (made.adopted === true) await adopt(id, spec, owner, context);
    known = id;
    if (made.takenOver && made.adopted !== true)
      await withVm(spec.name, context, () => applyChanges(id, spec, ["disk", "autostart"], undefined, owner, context));
    return { id, outs: await outsOf(id, inputs, owner) };
  } catch (error) {
    const id = error instanceof HalfMadeError ? error.uuid : known;
    if (id === undefined) throw error;
    const { message } = toVmsError(error);
    const properties = {
      ...inputsOf(inputs),
      // Pulumi puts it back after a success only, and can neither refresh nor destroy without it.
      __provider: inputs["__provider"],
      uuid: id,
      owner: owner.id,
      ownerLabel: owner.label,
      phase: "creating",
      schemaVersion,
    };
    // The form that Pulumi keeps a failed create by.
    throw Object.assign(new Error(message), { id, properties, reasons: [message] });
  }
}

/** What fails leaves the VM the command line's, changed as far as it got; the next `pulumi up` takes up there. */
async function adopt(id: string, spec: AnySpec, owner: Owner, context: Context): Promise<void> {
  context.progress.notice(
    `The VM ${JSON.stringify(spec.name)} that the command line made is taken over as it is, and changed to what the program says`,
  );
  try {
    await withVm(spec.name, context, async () => {
      await applyChanges(id, spec, ["disk", "autostart"], undefined, commandLine, context);
      await handOver(spec.connection, id, owner);
    });
  } catch (error) {
    throw cannot("adopt", "VM", spec.name, error);
  }
}

async function outsOf(id: string, inputs: Values, owner: Owner): Promise<Values> {
  const spec = specOf(inputs);
  const outputs = await describeVm(spec.connection, id);
  if (outputs === undefined) throw new VmsError("gone", `the domain ${id} is gone`);
  return { ...outputsOf(outputs), ...inputsOf(inputs), owner: owner.id, ownerLabel: owner.label, schemaVersion };
}

type AnySpec = VmSpec | CloneSpec;

/** The checked inputs; `check` has vouched for their types. */
function specOf(inputs: Values): AnySpec {
  return inputs as unknown as AnySpec;
}

function inputsOf(values: Values): Values {
  const outputs: readonly string[] = outputNames;
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => !outputs.includes(name) && !name.startsWith("__")),
  );
}

function ownerOf(state: Values): Owner {
  return { id: String(state["owner"]), label: String(state["ownerLabel"]) };
}

function contextOf(inputs: Values, signal: AbortSignal): Context {
  return { settings: specOf(inputs).settings, progress: engineProgress(String(inputs["resourceUrn"])), signal };
}
