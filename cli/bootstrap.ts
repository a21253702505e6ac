/** `vms bootstrap`: makes this host ready. On a terminal a plain user sees what is run with sudo, and sudo asks for the password. */
import { bootstrap, bootstrapArguments, findMissing, type BootstrapOptions } from "../provider/bootstrap.js";
import { VmsError } from "../provider/errors.js";
import { bootstrapFields } from "../provider/host-bootstrap.js";
import { attempt } from "../provider/host/command.js";
import { describeMissing, type Missing } from "../provider/host/prepare.js";
import { findProgram } from "../provider/host/programs.js";
import { showCommand } from "../provider/host/requirement.js";
import type { CliContext } from "./context.js";

export async function run(options: BootstrapOptions, context: CliContext): Promise<number> {
  refuseBadInput(options);
  if (await canAskForRoot()) {
    const missing = await findMissing(context, options);
    if (missing.some(({ requirement, finding }) => requirement.right === "root" && finding.commands.length > 0)) {
      return runWithSudo(missing, options, context);
    }
  }
  const { facts, changed, unavailable } = await bootstrap(context, options);
  for (const change of changed) context.print(`found and mended: ${change}`);
  if (changed.length === 0) context.print("Nothing was changed: this host is ready.");
  if (unavailable.length > 0) context.print(`not available here: ${unavailable.join(", ")}`);
  context.print(
    `${facts.distribution}, libvirt ${facts.libvirtVersion}, QEMU ${facts.qemuVersion}, ${facts.acceleration}`,
  );
  return 0;
}

async function canAskForRoot(): Promise<boolean> {
  if (process.getuid?.() === 0 || !process.stdin.isTTY || !process.stderr.isTTY) return false;
  return (await findProgram({ root: "/" }, "sudo")) !== undefined;
}

/**
 * One call of sudo: this same verb again, which does what was shown and what only shows once the packages are there. Returns its
 * status: it has said itself why it failed.
 */
async function runWithSudo(
  missing: readonly Missing[],
  options: BootstrapOptions,
  context: CliContext,
): Promise<number> {
  const { environment, verb } = bootstrapArguments(context.settings, options);
  context.print("Missing on this host, and what mends it:");
  for (const one of missing) {
    context.print(`  ${describeMissing(one)}`);
    for (const command of one.finding.commands) context.print(`      ${showCommand(command)}`);
  }
  const self = [process.execPath, process.argv[1] ?? "vms"];
  const argv = ["sudo", "env", ...environment, ...self, ...verb] as [string, ...string[]];
  context.print(`Run with root's rights: ${showCommand({ argv })}`);
  const { status } = await context.handOverTerminal(() => attempt(argv, { inherit: true, timeout: 0 }));
  return status;
}

function refuseBadInput(options: BootstrapOptions): void {
  const given = { user: options.user, packages: options.packages };
  for (const [name, value] of Object.entries(given)) {
    const verdict = value === undefined ? undefined : bootstrapFields[name]?.check(value);
    if (verdict !== undefined && "failure" in verdict) {
      throw new VmsError("input", `--${name === "packages" ? "package" : name}: ${verdict.failure}`);
    }
  }
}
