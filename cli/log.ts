import { followLog, readLog } from "../provider/console/log-reader.js";
import { cannot } from "../provider/errors.js";
import { findDomain } from "../provider/libvirt/domain.js";
import { findLog, type LogSource } from "../provider/vm/logs.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";

export interface LogOptions {
  readonly name: string;
  readonly follow?: boolean;
}

/** `vms log`: what the serial console of a VM printed, or that of the install that is made for it. */
export async function run({ name, follow }: LogOptions, context: CliContext): Promise<number> {
  try {
    const source = await findLog(connection, name, context);
    if (follow === true) return await followSource(source, context);
    await readLog(source.path, (text) => context.write(text));
    return 0;
  } catch (error) {
    throw cannot("show the console log of", "VM", name, error);
  }
}

/** Until the VM is gone, the install is over, nobody reads it any more, or the user leaves by Ctrl-C. Returns the status for that. */
export async function followSource({ uuid, name, path, installs }: LogSource, context: CliContext): Promise<number> {
  try {
    await followLog(path, (text) => context.write(text), {
      isOver: async () => (await findDomain(connection, uuid)) === undefined,
      signal: AbortSignal.any([context.unheard, ...(context.signal === undefined ? [] : [context.signal])]),
    });
  } catch (error) {
    // It is how one leaves: nothing has failed that had to be told.
    if (context.signal?.aborted === true) return 130;
    if (context.unheard.aborted) return 0;
    throw error;
  }
  context.progress.notice(installs ? `The install in ${name} is over` : `${name} is gone`);
  return 0;
}
