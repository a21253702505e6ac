/** The properties of VmClone: what is valid, and what is said where one is not. What is not given is as in the source. */
import { archVmFields, checkVm, nameField } from "./arch-vm-inputs.js";
import type { Checked, Fields, Verdict } from "./inputs.js";

type Values = Readonly<Record<string, unknown>>;

/** Checks everything at once; `environment` is where settings are looked up. */
export function checkVmClone(
  olds: Values | undefined,
  news: Values,
  environment: NodeJS.ProcessEnv = process.env,
): Checked {
  const checked = checkVm({ fields: () => cloneFields, replacing }, olds, news, environment);
  const { name, source } = checked.inputs;
  if (typeof name !== "string" || name !== source) return checked;
  const reason = `is the name of the clone itself (${name}); name the VM that it is to be a clone of`;
  return { ...checked, failures: [...checked.failures, { property: "source", reason }] };
}

/** A change of one of these makes a new VM. */
export const replacing = ["name", "source", "connection"] as const;

const { memory, cpus, disk, hostname, authorizedKeys, running, autostart, connection, timeouts } = archVmFields({});

const cloneFields: Fields = {
  name: nameField,
  source: { ...nameField, required: true },
  memory: withoutFallback(memory),
  cpus: withoutFallback(cpus),
  disk: withoutFallback(disk),
  hostname,
  authorizedKeys: withoutFallback(authorizedKeys),
  running,
  autostart,
  connection,
  timeouts,
};

function withoutFallback({ check }: { readonly check: (value: unknown) => Verdict }): {
  readonly check: (value: unknown) => Verdict;
} {
  return { check };
}
