import { type Examined, examineHost } from "../provider/doctor.js";
import { requirements, rootCommand } from "../provider/bootstrap.js";
import type { CliContext } from "./context.js";
import { pulumiCli } from "./stack.js";

export interface DoctorOptions {
  readonly json?: boolean;
}

/** `vms doctor`: what VMs need of this host, a line each; the status is 1 where something is bad that no VM can run without. */
export async function run({ json }: DoctorOptions, context: CliContext): Promise<number> {
  const examined = await examineHost(context, [pulumiCli]);
  if (json === true) context.print(JSON.stringify(examined, undefined, 2));
  else for (const line of await report(examined, context)) context.print(line);
  return examined.some(({ state, needed }) => state === "bad" && needed) ? 1 : 0;
}

async function report(examined: readonly Examined[], context: CliContext): Promise<string[]> {
  const lines = examined.flatMap((one) => [
    `${words[one.state].padEnd(8)}${one.description}${one.reason === undefined ? "" : `: ${one.reason}`}${mild(one)}`,
    ...one.commands.map((command) => `        Run: ${command}`),
    ...(one.hint === undefined ? [] : [`        ${one.hint}`]),
  ]);
  const mended = new Set(requirements.map(({ id }) => id));
  const some = examined.filter(({ id, state, commands }) => state === "bad" && mended.has(id) && commands.length > 0);
  if (some.length === 0) return lines;
  const command = process.getuid?.() === 0 ? "vms bootstrap" : await rootCommand(context.settings, {});
  const names = some.map(({ description }) => description).join("; ");
  return [...lines, "", `One command mends ${names}:`, `        ${command}`];
}

const words: Record<Examined["state"], string> = { good: "good", bad: "bad", unknown: "unknown" };

const mild = ({ state, needed }: Examined): string => (state === "bad" && !needed ? " (VMs run without it)" : "");
