/** How libvirt is spoken to: the virsh program, one call a command, and its answers as errors that say what to do. */
import { CommandError, VmsError } from "../errors.js";
import { run, type RunOptions } from "../host/command.js";

/** A libvirt URI, `qemu:///system` unless a user said otherwise. */
export type Connection = string;

/** Runs one virsh command and returns what it printed. Throws VmsError: unreachable, permission, gone, or command. */
export async function virsh(
  connection: Connection,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  try {
    const { stdout } = await run(["virsh", "--quiet", "--connect", connection, ...args], options);
    return stdout.trim();
  } catch (error) {
    throw explain(error, connection);
  }
}

/**
 * Runs commands in one virsh process, and returns what each printed, nothing where it failed. Each is one word or several, none
 * with a blank or a quote in it. Throws VmsError where libvirt cannot be asked at all.
 */
export async function virshEach(
  connection: Connection,
  commands: readonly (readonly string[])[],
  options: RunOptions = {},
): Promise<string[]> {
  const [some, rest] = [commands.slice(0, mostCommands), commands.slice(mostCommands)];
  if (some.length === 0) return [];
  // virsh ends with the status of the last one, which cannot fail where there is a connection.
  const script = some.map((words) => `${words.join(" ")}; echo ${separator}`).join("; ");
  const answers = (await virsh(connection, [script], options)).split(separator);
  const printed = some.map((_, index) => (answers[index] ?? "").trim());
  return [...printed, ...(await virshEach(connection, rest, options))];
}

/** All of them are one argument of a process, which Linux holds to 128 KiB. */
const mostCommands = 900;

const separator = "=pulumi-vms=";

/** What virsh said, as an error with its remedy. */
export function explain(error: unknown, connection: Connection): unknown {
  if (!(error instanceof CommandError)) return error;
  const said = error.stderr.replace(/^error: /gm, "").trim();
  if (
    /Permission denied|authentication (unavailable|failed|cancelled)|access denied/i.test(said) &&
    /connect|authenti/i.test(said)
  ) {
    return new VmsError("permission", `no right to use libvirt at ${connection}: ${said}`, {
      hint: "Run: vms bootstrap (it puts you into the libvirt group), then log in again",
      cause: error,
    });
  }
  // A VM's own process that ends breaks a connection too, that to its monitor.
  if (
    !/\bmonitor\b/.test(said) &&
    /failed to connect|Connection refused|Connection reset|End of file while reading|Cannot recv data|Disconnected from|no valid connection|client socket is closed/i.test(
      said,
    )
  ) {
    return new VmsError("unreachable", `libvirt does not answer at ${connection}: ${said}`, {
      hint: "Run: vms bootstrap (it starts the libvirt service)",
      cause: error,
    });
  }
  // Behind the others: after a lost connection virsh says this as well.
  if (/failed to get domain|Domain not found/i.test(said)) {
    return new VmsError("gone", `libvirt does not find it: ${said}`, {
      hint: "Somebody may have removed it meanwhile: vms list shows what is there",
      cause: error,
    });
  }
  return new VmsError("command", said === "" ? error.reason : said, { cause: error });
}
