/** VMs that cannot be made, and what an error about it has to tell. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { openScene, type Scene, vmProgram } from "./scene.js";

let counter = 0;
export const newName = (): string => `vms-e2e-fault-${process.pid}-${counter++}`;

export const isoProperty = (path: string): string => `iso: ${JSON.stringify(path)}`;

/** The scene, and a folder in it for damaged media. */
export async function openScratch(): Promise<[Scene, string]> {
  const scene = await openScene();
  const scratch = join(scene.project.directory, "scratch");
  mkdirSync(scratch, { recursive: true });
  await scene.prepareHost();
  return [scene, scratch];
}

/** Runs `up` of a VM that must fail, and checks that nothing of it is left. Properties come after those of `vmProgram`. */
export async function failsToCreate(
  scene: Scene,
  more: string,
  environment: Record<string, string> = {},
): Promise<string> {
  const name = newName();
  const stack = await scene.stack(name, environment);
  stack.write(vmProgram(scene, "vm", `name: ${JSON.stringify(name)}, ${more}`));
  const before = await scene.domains();
  const { status, output } = await stack.up();
  assert.notEqual(status, 0, output);
  assert.match(output, new RegExp(`Cannot create VM "${name}"`));
  assert.deepEqual(await scene.domains(), before, "no domain is left");
  return output;
}

/** The last lines of the console, where all of it is, and what to do. */
export function assertTellsAll(output: string): void {
  assert.match(output, /last lines:\s*\n\s+(error:\s+)?\|/, output);
  assertNamesLog(output);
}

export function assertNamesLog(output: string): void {
  const log = /The whole console is in (\S+)/.exec(output)?.[1];
  assert.ok(log !== undefined && existsSync(log), output);
}
