import { mkdtemp, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cannot, VmsError } from "../provider/errors.js";
import { virsh } from "../provider/libvirt/virsh.js";
import { isPng, toPng } from "../provider/storage/picture.js";
import { findActive } from "../provider/vm/running.js";
import { connection } from "./connection.js";
import type { CliContext } from "./context.js";

export interface ScreenshotOptions {
  readonly name: string;
  /** Default: `<name>.png` here. */
  readonly file?: string | undefined;
}

/** `vms screenshot`: what the display of a VM shows, as a PNG. */
export async function run({ name, file }: ScreenshotOptions, context: CliContext): Promise<void> {
  try {
    const vm = await findActive(connection, name);
    const target = resolve(file ?? `${vm.name}.png`);
    await refuseOther(target);
    await put(target, toPng(await takePicture(vm.uuid, context)));
    context.print(`${vm.name}: ${target}`);
  } catch (error) {
    throw cannot("take a screenshot of", "VM", name, error);
  }
}

/** A picture of before may be overwritten; what else is there may be dear to somebody. */
async function refuseOther(target: string): Promise<void> {
  try {
    const existing = await open(target, "r");
    const head = Buffer.alloc(8);
    try {
      await existing.read(head);
    } finally {
      await existing.close();
    }
    if (isPng(head)) return;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return;
    throw new VmsError("input", `${target} cannot be written: ${message}`, { hint: "Name a file", cause: error });
  }
  throw new VmsError("input", `${target} is there already and is no PNG; it was left alone`, {
    hint: "Name another file, or remove it",
  });
}

async function takePicture(uuid: string, context: CliContext): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "vms-screenshot-"));
  try {
    const file = join(directory, "picture");
    await virsh(connection, ["screenshot", uuid, file], { signal: context.signal });
    return await readFile(file);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Whole or not at all. */
async function put(target: string, picture: Buffer): Promise<void> {
  const fresh = `${target}.${process.pid}`;
  try {
    await writeFile(fresh, picture);
    await rename(fresh, target);
  } catch (error) {
    await rm(fresh, { force: true });
    throw new VmsError("input", `${target} cannot be written: ${(error as Error).message}`, { cause: error });
  }
}
