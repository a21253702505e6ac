import { checkArchVm } from "../provider/arch-vm-inputs.js";
import { cannot } from "../provider/errors.js";
import { createVm } from "../provider/vm/create.js";
import { commandLine } from "../provider/vm/ownership.js";
import type { VmSpec } from "../provider/vm/spec.js";
import { announceVm } from "./announce.js";
import { requireValid } from "./checked.js";
import type { CliContext } from "./context.js";
import { makeOrDiscard } from "./half-made.js";
import { parseShare, readKeys, readPassword } from "./vm-options.js";

export interface CreateOptions {
  readonly name: string;
  readonly profile?: string;
  readonly iso?: string;
  readonly mirror?: string;
  readonly memory?: number;
  readonly cpus?: number;
  readonly disk?: string;
  readonly network?: string;
  readonly package?: readonly string[];
  readonly user?: string;
  /** Files with public keys. */
  readonly sshKey?: readonly string[];
  readonly passwordStdin?: boolean;
  readonly hostname?: string;
  readonly timezone?: string;
  readonly locale?: string;
  readonly keymap?: string;
  readonly share?: readonly string[];
  /** false: it is left off. */
  readonly start?: boolean;
  readonly autostart?: boolean;
  readonly fresh?: boolean;
  readonly acceleration?: string;
}

/** `vms create`: a VM of the command line's own. What fails leaves nothing half-made. */
export async function run(options: CreateOptions, context: CliContext): Promise<void> {
  const spec = requireValid("create", options.name, checkArchVm(undefined, await inputsOf(options))) as VmSpec;
  const { connection, name } = spec;
  const { uuid } = await makeOrDiscard(name, connection, context, () => createVm(spec, commandLine, context));
  await announceVm(name, uuid, connection, context);
}

/** As a program would give them. */
async function inputsOf(options: CreateOptions): Promise<Record<string, unknown>> {
  const { package: packages, sshKey, passwordStdin, share, start, ...same } = options;
  try {
    return {
      ...same,
      packages,
      authorizedKeys: await readKeys(sshKey),
      ...(passwordStdin === true ? { password: await readPassword() } : {}),
      shares: share?.map(parseShare),
      ...(start === false ? { running: false } : {}),
    };
  } catch (error) {
    throw cannot("create", "VM", options.name, error);
  }
}
