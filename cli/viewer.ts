import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { cannot, lastLines, VmsError } from "../provider/errors.js";
import { startDetached } from "../provider/host/command.js";
import { Deadline, poll } from "../provider/host/deadline.js";
import { findProgram } from "../provider/host/programs.js";
import { countClients, displayOf, portOf } from "../provider/vm/display.js";
import { findActive } from "../provider/vm/running.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";

export interface ViewerOptions {
  readonly name: string;
}

/** In seconds: how long a viewer may take to connect before it is left alone. */
const patience = 30;

/** `vms viewer`: a window with the display of a VM, which stays when this command has ended. */
export async function run({ name }: ViewerOptions, context: CliContext): Promise<void> {
  try {
    const vm = await findActive(connection, name);
    const uri = await displayOf(connection, vm.uuid);
    const argv = await chooseViewer(vm.uuid, uri, context);
    await open(argv, uri, context);
    context.print(`${argv[0]} shows ${vm.name} (${uri})`);
  } catch (error) {
    throw cannot("show", "VM", name, error);
  }
}

/** Throws VmsError (requirement), after printing the URI, where there is nothing to show it with. */
async function chooseViewer(uuid: string, uri: string, context: CliContext): Promise<readonly [string, ...string[]]> {
  const { DISPLAY: x11 = "", WAYLAND_DISPLAY: wayland = "" } = process.env;
  if (x11 === "" && wayland === "") {
    context.print(uri);
    const port = portOf(uri);
    const tunnel = port === undefined ? "" : `ssh -L ${port}:127.0.0.1:${port} ${hostname()}, and there: `;
    throw new VmsError(
      "requirement",
      "there is no display here to show it on (neither DISPLAY nor WAYLAND_DISPLAY is set)",
      {
        hint: `Run it in a graphical session. From another machine: ${tunnel}remote-viewer ${uri}`,
      },
    );
  }
  const host = { root: "/" };
  if ((await findProgram(host, "remote-viewer")) !== undefined) return ["remote-viewer", uri];
  if ((await findProgram(host, "virt-viewer")) !== undefined) return ["virt-viewer", "--connect", connection, uuid];
  context.print(uri);
  throw new VmsError("requirement", "neither remote-viewer nor virt-viewer is installed", {
    hint: "Run: vms bootstrap (it installs virt-viewer), or open that URI with another SPICE client",
  });
}

/** Until it is connected: one that fails does so before, and says why. */
async function open(argv: readonly [string, ...string[]], uri: string, context: CliContext): Promise<void> {
  context.progress.phase(`opening ${argv[0]}`);
  const port = portOf(uri);
  const count = (): Promise<number> => (port === undefined ? Promise.resolve(0) : countClients(port));
  const before = await count();
  const directory = await mkdtemp(join(tmpdir(), "vms-viewer-"));
  const log = join(directory, "log");
  const file = openSync(log, "w");
  try {
    let end: { status: number | undefined } | undefined;
    let failure: unknown;
    startDetached(argv, file).ended.then(
      (status) => (end = { status }),
      (error: unknown) => (failure = error),
    );
    const look = async (): Promise<true | undefined> => {
      if (failure !== undefined) throw failure as Error;
      if (end !== undefined) throw ended(argv[0], end.status, await readFile(log, "utf8"));
      return port === undefined || (await count()) > before ? true : undefined;
    };
    const connected = await poll(look, { deadline: new Deadline(patience), signal: context.signal });
    if (connected === undefined) context.progress.notice(`${argv[0]} runs, and has not connected within ${patience} s`);
  } finally {
    closeSync(file);
    // It writes on into the open file, which nobody sees any more.
    await rm(directory, { recursive: true, force: true });
  }
}

function ended(program: string, status: number | undefined, said: string): VmsError {
  const last = lastLines(said, 5);
  return new VmsError(
    "command",
    `${program} ended at once with status ${status ?? "unknown"}${last === "" ? "" : `, and said: ${last}`}`,
    { hint: "Look whether the display that DISPLAY or WAYLAND_DISPLAY names is yours" },
  );
}
