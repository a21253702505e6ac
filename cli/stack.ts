/**
 * The sample stack of this checkout, and the pulumi CLI that acts on it. State lies in the checkout, its passphrase in a file
 * that only the owner can read; VMS_PULUMI_BACKEND=current leaves both to what the user is logged in to.
 */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { VmsError } from "../provider/errors.js";
import { attempt, run } from "../provider/host/command.js";
import { exists } from "../provider/host/existence.js";
import { findProgram } from "../provider/host/programs.js";
import type { Check } from "../provider/host/requirement.js";
import { packageFiles } from "../provider/paths.js";
import type { CliContext } from "./context.js";
import { removeDeadLocks } from "./stack-locks.js";

const stackName = "dev";

/** What is made in the checkout; git ignores it. */
export const checkoutFiles = {
  folder: join(packageFiles.root, ".vms"),
  state: join(packageFiles.root, ".vms", "state"),
  passphrase: join(packageFiles.root, ".vms", "passphrase"),
  stackConfig: join(packageFiles.root, `Pulumi.${stackName}.yaml`),
};

export interface Stack {
  /** Runs the CLI with the user's terminal; returns its status. */
  show(args: readonly string[], env?: Record<string, string>): Promise<number>;
  /** Runs the CLI and returns what it printed. */
  read(args: readonly string[]): Promise<string>;
}

/** Makes the CLI ready and selects the stack, which is created where there is none. */
export async function openStack(context: CliContext): Promise<Stack> {
  const cwd = packageFiles.root;
  if (!(await exists(join(cwd, "Pulumi.yaml")))) {
    throw new VmsError("unsupported", `Cannot use stack "${stackName}": ${cwd} is no checkout of pulumi-vms`, {
      hint: "Run pulumi in your own project: pulumi up",
    });
  }
  const cli = await ensureCli(context);
  const env = {
    PATH: `${cli}:${process.env["PATH"] ?? ""}`,
    PULUMI_STACK: stackName,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(usesCurrentBackend() ? {} : await localBackend(context)),
  };
  await run(["pulumi", "stack", "select", "--create", stackName, "--non-interactive"], {
    cwd,
    env,
    signal: context.signal,
  });
  return {
    show: (args, more = {}) =>
      context.handOverTerminal(async () => {
        const options = { cwd, env: { ...env, ...more }, inherit: true, timeout: 0 };
        return (await attempt(["pulumi", ...args], options)).status;
      }),
    read: async (args) =>
      (await run(["pulumi", ...args, "--non-interactive"], { cwd, env, timeout: 0, signal: context.signal })).stdout,
  };
}

function usesCurrentBackend(): boolean {
  const wanted = process.env["VMS_PULUMI_BACKEND"] ?? "local";
  if (wanted === "current") return true;
  if (wanted === "local" || wanted === "") return false;
  throw new VmsError("input", `VMS_PULUMI_BACKEND is ${JSON.stringify(wanted)}: it can be "local" or "current"`, {
    hint: "local keeps the state in this checkout; current takes the backend that pulumi is logged in to",
  });
}

async function localBackend(context: CliContext): Promise<Record<string, string | undefined>> {
  await mkdir(checkoutFiles.state, { recursive: true });
  await chmod(checkoutFiles.state, 0o700);
  await ensurePassphrase();
  for (const pid of await removeDeadLocks(checkoutFiles.state)) {
    context.progress.notice(`The pulumi with the process id ${pid} died with the stack locked: the lock was removed.`);
  }
  return {
    PULUMI_BACKEND_URL: `file://${checkoutFiles.state}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: checkoutFiles.passphrase,
    // Set, even to nothing, it would count instead of the file.
    PULUMI_CONFIG_PASSPHRASE: undefined,
  };
}

async function ensurePassphrase(): Promise<void> {
  const { passphrase, stackConfig } = checkoutFiles;
  if (await exists(passphrase)) return;
  // Config that was encrypted with a lost passphrase: nothing of it can be read, and pulumi would only say "incorrect".
  if ((await exists(stackConfig)) && /^encryptionsalt:/m.test(await readFile(stackConfig, "utf8"))) {
    throw new VmsError(
      "input",
      `Cannot use stack "${stackName}": ${passphrase} is gone, and ${stackConfig} belongs to it`,
      {
        hint: `Bring the passphrase back, or start anew: rm ${stackConfig}`,
      },
    );
  }
  // Whole or not there at all, also for one who does the same at this moment.
  const fresh = `${passphrase}.${process.pid}`;
  await writeFile(fresh, randomBytes(24).toString("base64url"), { mode: 0o600 });
  await link(fresh, passphrase).catch(ignoreExisting);
  await rm(fresh);
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

/** Only stacks need it, and whoever calls for one gets it made. */
export const pulumiCli: Check = {
  id: "pulumi",
  description: "the pulumi CLI",
  fatal: false,
  probe: async (host) => {
    const script = join(packageFiles.root, "tools", "pulumi-cli", "ensure.sh");
    if (!(await exists(script))) {
      if ((await findProgram(host, "pulumi")) !== undefined) return undefined;
      const hint = "Only programs need it, the command line does not. Install it: https://www.pulumi.com/docs/install/";
      return { reason: "it is not installed", commands: [], hint };
    }
    if ((await attempt(["bash", script, "--find"])).status === 0) return undefined;
    return {
      reason: "it is neither on PATH with its Node.js language host nor made yet",
      commands: [{ argv: ["./vms", "pulumi", "version"] }],
      hint: "Only stacks need it, and ./vms demo makes it by itself",
    };
  },
};

/** The directory of the pulumi CLI; tools/pulumi-cli/ensure.sh tells where it looks and what it makes. */
async function ensureCli(context: CliContext): Promise<string> {
  const script = join(packageFiles.root, "tools", "pulumi-cli", "ensure.sh");
  const { stdout } = await run(["bash", script], {
    timeout: 0,
    signal: context.signal,
    onLine: (line) => {
      // The last line is the answer, an absolute path; all others say what is being done.
      if (!line.startsWith("/")) context.progress.phase(line);
    },
  });
  return stdout;
}
