/**
 * What the demo installs from where no Arch mirror can be reached: the tests' stand-in for Arch, served to the guest for as long
 * as the demo runs. Only a checkout has it.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "../provider/host/command.js";
import { showCommand } from "../provider/host/requirement.js";
import { packageFiles } from "../provider/paths.js";
import type { CliContext } from "./context.js";

export interface StandIn {
  readonly iso: string;
  /** The pacman server as the guest sees it. */
  readonly mirror: string;
  close(): Promise<void>;
}

/** The mirror's address is part of what an image is made from: the same one again finds the image of the last time. */
const usualPort = 18273;

/** Serves a stand-in's packages, where they are served usually unless somebody else is there. */
export async function servePackages(directory: string) {
  const { serveMirror } = await import("../test/stand-in/mirror.js");
  const repository = join(directory, "repo");
  try {
    return await serveMirror(repository, { port: usualPort });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    return serveMirror(repository);
  }
}

/** Builds the stand-in, once, and serves its packages. */
export async function serveStandIn(context: CliContext): Promise<StandIn> {
  const directory = await buildStandIn(context);
  const server = await servePackages(directory);
  return { iso: join(directory, "archlinux-x86_64.iso"), mirror: server.guestUrl, close: () => server.close() };
}

const script = join(packageFiles.root, "test", "stand-in", "build.sh");

async function buildStandIn(context: CliContext): Promise<string> {
  const { stdout: directory } = await run(["bash", script, "--key"]);
  if (process.getuid?.() !== 0 && process.stdin.isTTY && !existsSync(directory))
    return buildWithSudo(directory, context);
  context.progress.phase("building the stand-in for Arch from this host's packages (once, some minutes)");
  await run(["bash", script], {
    timeout: 0,
    signal: context.signal,
    onLine: (line) => context.progress.detail(line),
  });
  return directory;
}

/** Only root can unpack packages as they are. sudo asks for the password itself. */
async function buildWithSudo(directory: string, context: CliContext): Promise<string> {
  // Into the caller's cache, not root's: `stand-in/<key>` is the last part of the directory.
  const argv = ["sudo", "env", `VMS_CACHE=${dirname(dirname(directory))}`, "bash", script] as const;
  context.print(`Run with root's rights: ${showCommand({ argv })}`);
  await context.handOverTerminal(() => run(argv, { inherit: true, timeout: 0 }));
  return directory;
}
