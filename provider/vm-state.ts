/** What Pulumi keeps of a VM, and what the operations take of it. State of every older version is understood. */
import { outputNames } from "./vm-diff.js";
import type { Context } from "./context.js";
import { engineProgress } from "./engine-progress.js";
import { VmsError } from "./errors.js";
import type { Owner } from "./libvirt/mark.js";
import { stackOwner } from "./owner.js";
import { resolveSettings } from "./settings.js";
import { describeVm, type VmDescription } from "./vm/describe.js";
import type { CloneSpec, VmSpec } from "./vm/spec.js";
import type { Values } from "./vm-kind.js";

/** Of what is kept in state; raised when its meaning changes. */
export const schemaVersion = 1;

export type AnySpec = VmSpec | CloneSpec;

/** The checked inputs; `check` has vouched for their types. */
export function specOf(inputs: Values): AnySpec {
  const settings = inputs["settings"] ?? resolveSettings().settings;
  return { connection: "qemu:///system", timeouts: {}, autostart: false, ...inputs, settings } as unknown as AnySpec;
}

export function inputsOf(values: Values): Values {
  const outputs: readonly string[] = outputNames;
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => !outputs.includes(name) && !name.startsWith("__")),
  );
}

/** What is shown of a VM and is no input. `name` is the program's, whatever somebody has renamed the domain to. */
export function outputsOf({ name, ...vm }: VmDescription): Values {
  const outputs: readonly string[] = outputNames;
  return { ...Object.fromEntries(Object.entries(vm).filter(([key]) => outputs.includes(key))), domainName: name };
}

/** What is kept after a success. */
export async function outsOf(id: string, inputs: Values, owner: Owner): Promise<Values> {
  const vm = await describeVm(specOf(inputs).connection, id);
  if (vm === undefined) throw new VmsError("gone", `the domain ${id} is gone`);
  return { ...outputsOf(vm), ...inputsOf(inputs), owner: owner.id, ownerLabel: owner.label, schemaVersion };
}

/** The state proves whose the VM is; how the owner is called follows the resource's present name. */
export function ownerOf(state: Values, present: Values = state): Owner {
  const [recorded, label] = [state["owner"], state["ownerLabel"]];
  const { resourceUrn: urn, organization = "organization" } = present;
  const known = typeof urn === "string" && typeof organization === "string" && urn.startsWith("urn:pulumi:");
  const now = known ? stackOwner(urn, organization) : undefined;
  const id = typeof recorded === "string" ? recorded : now?.id;
  if (id === undefined) throw new VmsError("input", "its state does not say to which stack it belongs");
  return { id, label: now?.label ?? (typeof label === "string" ? label : id) };
}

export function contextOf(inputs: Values, signal?: AbortSignal): Context {
  return { settings: specOf(inputs).settings, progress: engineProgress(String(inputs["resourceUrn"])), signal };
}
