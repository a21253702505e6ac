/** Consoles for tests: fixtures in a real terminal, closed after each test, with a log of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Dialogue, type DialogueOptions } from "../../../provider/console/expect.js";
import { startInTerminal, type Transport, type TransportOptions } from "../../../provider/console/transport.js";
import { packageFiles } from "../../../provider/paths.js";

const fixtures = join(packageFiles.root, "test", "fixtures", "console");

/** The path of an executable in test/fixtures/console. */
export function fixture(name: string): string {
  return join(fixtures, name);
}

/** Programs that would change the machine which runs the tests are replaced. */
const guestPath = `${fixture("bin")}:${process.env["PATH"] ?? ""}`;

const open: Transport[] = [];
const folders: string[] = [];

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "vms-test-console-"));
  folders.push(folder);
  return folder;
}

export function start(argv: readonly [string, ...string[]], options: TransportOptions = {}): Transport {
  const transport = startInTerminal(argv, { log: join(makeFolder(), "console.log"), ...options });
  open.push(transport);
  return transport;
}

export function talk(
  argv: readonly [string, ...string[]],
  options: DialogueOptions & TransportOptions = {},
): Dialogue & { readonly log: string } {
  return new Dialogue(start(argv, { env: { PATH: guestPath }, ...options }), options) as Dialogue & {
    readonly log: string;
  };
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((transport) => transport.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
}
