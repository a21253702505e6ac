/**
 * A Pulumi project elsewhere on disk that has installed the package as npm packs it: what a user has. Stacks are folders below it,
 * each with a program and a file backend of its own.
 */
import { execFileSync } from "node:child_process";
import { spawn } from "@lydell/node-pty";
import { execa } from "execa";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { packageFiles } from "../../provider/paths.js";

export interface Project {
  readonly directory: string;
  /** Where the pulumi CLI is. */
  readonly cli: string;
  remove(): void;
}

/** Packs this checkout and installs it, with the Pulumi SDK that is in the checkout's lock file. */
export async function makeProject(parent: string): Promise<Project> {
  const directory = mkdtempSync(join(parent, "vms-e2e-"));
  chmodSync(directory, 0o755);
  const root = packageFiles.root;
  const { stdout: made } = await execa("bash", [join(root, "tools/pulumi-cli/ensure.sh")], { stderr: "inherit" });
  // Made in root's home, where another user cannot get at it.
  const cli = join(directory, "pulumi-cli");
  await execa("cp", ["--archive", "--reflink=auto", made, cli]);
  const { stdout: packed } = await execa(
    "npm",
    ["pack", "--ignore-scripts", "--json", "--pack-destination", directory],
    { cwd: root },
  );
  const [tarball] = JSON.parse(packed) as { filename: string }[];
  const versions = await installedVersions(root, ["@pulumi/pulumi", "typescript", "ts-node", "@types/node"]);
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "somebody-elses", private: true }));
  const packages = [
    `./${tarball?.filename ?? ""}`,
    ...Object.entries(versions).map(([name, version]) => `${name}@${version}`),
  ];
  await execa("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...packages], {
    cwd: directory,
  });
  return {
    directory,
    cli,
    remove: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function installedVersions(root: string, names: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await execa("npm", ["ls", "--json", "--depth=0", ...names], { cwd: root });
  const { dependencies } = JSON.parse(stdout) as { dependencies: Record<string, { version: string }> };
  return Object.fromEntries(names.map((name) => [name, dependencies[name]?.version ?? ""]));
}

export interface RunResult {
  readonly status: number;
  readonly output: string;
}

export interface Terminal {
  /** All that it has shown so far. */
  shown(): string;
  /** Its status, when it has ended. */
  readonly ended: Promise<number>;
  /** Ctrl-C: SIGINT to all in its foreground. */
  interrupt(): void;
  /** Ends it where it has not ended. */
  kill(): void;
}

/** The stack `dev` of a program, with state of its own; run by root, or by a user of this host. */
export class Stack {
  readonly folder: string;
  readonly #environment: Record<string, string>;

  constructor(
    private readonly project: Project,
    name: string,
    environment: Readonly<Record<string, string>>,
    private readonly user?: string,
  ) {
    this.folder = join(project.directory, name);
    mkdirSync(join(this.folder, "state"), { recursive: true });
    writeFileSync(join(this.folder, "Pulumi.yaml"), "name: e2e\nruntime: nodejs\nmain: index.ts\n");
    writeFileSync(
      join(this.folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          target: "es2022",
          module: "nodenext",
          moduleResolution: "nodenext",
          skipLibCheck: true,
        },
      }),
    );
    this.#environment = {
      PATH: `${project.cli}:${process.env["PATH"] ?? ""}`,
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase of the tests",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // Checking a program's types is a second of each command: the main story does it once, for all.
      PULUMI_NODEJS_TRANSPILE_ONLY: "true",
      ...environment,
    };
    if (user === undefined) return;
    Object.assign(this.#environment, { HOME: `/home/${user}`, USER: user });
    execFileSync("chown", ["-R", user, this.folder]);
  }

  /** Writes the program; what it imports of the package and of Pulumi is there already. */
  write(body: string): void {
    const imports = `import * as pulumi from "@pulumi/pulumi";\nimport { ArchVm, HostBootstrap, VmClone } from "pulumi-vms";\n`;
    writeFileSync(
      join(this.folder, "index.ts"),
      `${imports}void pulumi; void ArchVm; void HostBootstrap; void VmClone;\n${body}\n`,
    );
  }

  /** Whether its types are checked by each command from now on. */
  checkTypes(checked: boolean): void {
    this.#environment["PULUMI_NODEJS_TRANSPILE_ONLY"] = String(!checked);
  }

  /** Starts the CLI without waiting; `detached` gives it a process group of its own. */
  start(args: readonly string[]) {
    const command = ["pulumi", ...args, "--non-interactive", "--color=never"];
    const [file, ...rest] =
      this.user === undefined ? ["env", ...command] : ["runuser", "-u", this.user, "--", ...command];
    return execa(file, rest, {
      cwd: this.folder,
      env: this.#environment,
      all: true,
      reject: false,
      detached: true,
      stdin: "ignore",
    });
  }

  /** Starts the CLI in a terminal of its own, as a user does who may press Ctrl-C. */
  startInTerminal(args: readonly string[]): Terminal {
    const terminal = spawn("pulumi", ["--color=never", ...args], {
      cwd: this.folder,
      env: { ...process.env, ...this.#environment },
      cols: 200,
    });
    let shown = "";
    let over = false;
    terminal.onData((text) => (shown += text));
    const ended = new Promise<number>((resolve) => {
      terminal.onExit(({ exitCode }) => {
        over = true;
        resolve(exitCode);
      });
    });
    return {
      shown: () => shown,
      ended,
      interrupt: () => {
        terminal.write("\x03");
      },
      kill: () => {
        if (!over) terminal.kill("SIGKILL");
      },
    };
  }

  async pulumi(...args: string[]): Promise<RunResult> {
    const { exitCode, all } = await this.start(args);
    return { status: exitCode ?? -1, output: all };
  }

  async init(): Promise<void> {
    const { status, output } = await this.pulumi("stack", "init", "dev");
    if (status !== 0) throw new Error(output);
  }

  /** Takes away the lock that a killed pulumi leaves in a file backend. */
  async unlock(): Promise<void> {
    const { status, output } = await this.pulumi("cancel", "--yes");
    if (status !== 0) throw new Error(output);
  }

  up = (...args: string[]) => this.pulumi("up", "--yes", "--skip-preview", ...args);
  preview = (...args: string[]) => this.pulumi("preview", ...args);
  refresh = (...args: string[]) => this.pulumi("refresh", "--yes", "--skip-preview", ...args);
  destroy = (...args: string[]) => this.pulumi("destroy", "--yes", "--skip-preview", ...args);

  async outputs(): Promise<Record<string, unknown>> {
    const { output } = await this.pulumi("stack", "output", "--json", "--show-secrets");
    return JSON.parse(output) as Record<string, unknown>;
  }

  async state(): Promise<string> {
    return (await this.pulumi("stack", "export")).output;
  }
}
