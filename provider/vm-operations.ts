/** What Pulumi calls to act on a VM: translates between Pulumi's properties and provider/vm. */
import type { CreateResult, UpdateResult } from "@pulumi/pulumi/dynamic/index.js";
import { changedInputs, phaseOf, unsupportedChanges } from "./vm-diff.js";
import type { Context } from "./context.js";
import { whileEngineLives } from "./engine-process.js";
import { cannot, toVmsError, VmsError } from "./errors.js";
import { guestChangeOf } from "./guest-change.js";
import { limitsOf } from "./install/steps.js";
import { findDomain } from "./libvirt/domain.js";
import type { Owner } from "./libvirt/mark.js";
import { stackOwner } from "./owner.js";
import { handOver } from "./vm/adopt.js";
import { endCrashed, growDisk, setAutostart, setRunning } from "./vm/change.js";
import { changeLive } from "./vm/change-live.js";
import { changeDefinition } from "./vm/definition.js";
import { consoleLogOf } from "./vm/describe.js";
import { changeGuest } from "./vm/guest-change.js";
import { HalfMadeError } from "./vm/half-made.js";
import { tellLeftDisk } from "./vm/left-disk.js";
import { commandLine, renewLabel, requireOwn, withVm } from "./vm/ownership.js";
import { removeVm } from "./vm/remove.js";
import { giveName, withRenamedVm } from "./vm/rename.js";
import type { Values, VmKind } from "./vm-kind.js";
import { type AnySpec, contextOf, inputsOf, outsOf, ownerOf, schemaVersion, specOf } from "./vm-state.js";

export async function create(kind: VmKind, inputs: Values): Promise<CreateResult<Values>> {
  const urn = String(inputs["resourceUrn"]);
  const owner = stackOwner(urn, String(inputs["organization"]));
  return whileEngineLives((signal) => makeWhole(kind, inputs, owner, contextOf(inputs, signal)));
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
  const owner = ownerOf(olds, news);
  if (phaseOf(olds) !== "ready") {
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
    await withRenamedVm(spec.connection, id, spec.name, context, () =>
      applyChanges(id, spec, changed, olds, owner, context),
    );
  } catch (error) {
    throw cannot("change", "VM", spec.name, error);
  }
  return { outs: await outsOf(id, news, owner) };
}

export async function remove(id: string, props: Values): Promise<void> {
  const { connection, name, timeouts } = specOf(props);
  await whileEngineLives(async (signal) => {
    const context = contextOf(props, signal);
    if (await removeVm(connection, id, ownerOf(props), context, { shutdown: timeouts.shutdown })) return;
    await tellLeftDisk(connection, name, props["diskPath"], context);
  });
}

/** What a VM that is taken over may have otherwise than the program says; the rest of a clone is its source's. */
const adjustable = (spec: AnySpec): string[] => [
  "memory",
  "cpus",
  "disk",
  "autostart",
  ...("source" in spec ? [] : ["network", "acceleration", "shares"]),
];

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
  await endCrashed(connection, id, spec.running, context);
  await renewLabel(connection, domain, owner);
  // What is to be off can be renamed when it is.
  if (spec.running !== false) await giveName(connection, domain, spec.name, context);
  context.reached?.("change: named");
  await changeDefinition(connection, domain, spec, changed);
  context.reached?.("change: defined");
  await changeLive(connection, id, spec, changed, context);
  if (changed.includes("disk") && spec.disk !== undefined) await growDisk(connection, domain, spec.disk);
  context.reached?.("change: disk grown");
  if (changed.includes("autostart")) await setAutostart(connection, id, spec.autostart);
  context.reached?.("change: autostart set");
  const limits = limitsOf(acceleration, spec.timeouts);
  const vm = { connection, uuid: id, consoleLog: consoleLogOf(domain), acceleration, limits };
  const guest = guestChangeOf(spec, id, olds, changed);
  if (guest !== undefined) await changeGuest(vm, guest, spec.running, context);
  await setRunning(vm, spec.running, context);
  if (spec.running === false) await giveName(connection, domain, spec.name, context);
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
      await withRenamedVm(spec.connection, id, spec.name, context, () =>
        applyChanges(id, spec, adjustable(spec), undefined, owner, context),
      );
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
      await applyChanges(id, spec, adjustable(spec), undefined, commandLine, context);
      await handOver(spec.connection, id, owner);
    });
  } catch (error) {
    throw cannot("adopt", "VM", spec.name, error);
  }
}
