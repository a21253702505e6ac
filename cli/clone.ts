import { cannot } from "../provider/errors.js";
import { checkVmClone } from "../provider/vm-clone-inputs.js";
import { cloneVm } from "../provider/vm/clone.js";
import { commandLine } from "../provider/vm/ownership.js";
import type { CloneSpec } from "../provider/vm/spec.js";
import { announceVm } from "./announce.js";
import { requireValid } from "./checked.js";
import type { CliContext } from "./context.js";
import { makeOrDiscard } from "./half-made.js";
import { readKeys } from "./vm-options.js";

export interface CloneOptions {
  readonly source: string;
  readonly name: string;
  readonly memory?: number;
  readonly cpus?: number;
  readonly disk?: string;
  readonly hostname?: string;
  /** Files with public keys. */
  readonly sshKey?: readonly string[];
  readonly autostart?: boolean;
  /** false: it is made without a boot. */
  readonly start?: boolean;
}

/** `vms clone`: a VM that stands on what is on another one's disk now. What fails leaves nothing half-made. */
export async function run({ start, sshKey, ...options }: CloneOptions, context: CliContext): Promise<void> {
  const keys = await readKeys(sshKey).catch((error: unknown) => {
    throw cannot("clone", "VM", options.name, error);
  });
  const given = { ...options, authorizedKeys: keys, ...(start === false ? { running: false } : {}) };
  const spec = requireValid("clone", options.name, checkVmClone(undefined, given)) as CloneSpec;
  const { connection, name } = spec;
  const { uuid } = await makeOrDiscard(name, connection, context, () => cloneVm(spec, commandLine, context));
  await announceVm(name, uuid, connection, context);
}
