/** What is needed to boot an Arch ISO's own kernel without its boot loader, taken out of the ISO once. */
import { chmod, constants, mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../context.js";
import { VmsError, cannot } from "../errors.js";
import { exists } from "../host/existence.js";
import { run } from "../host/command.js";
import { diskFull, saysDiskFull } from "./disk-space.js";
import { makeIsoDirectory } from "./iso-index.js";
import type { Iso } from "./iso-input.js";
import { withIsoLock } from "./iso-remote.js";
import { renameDurably, replaceFile } from "./replace-file.js";

/** Paths of files that everybody may read, and what `archisosearchuuid=` on the kernel's command line must be. */
export interface IsoBoot {
  readonly kernel: string;
  readonly initramfs: string;
  readonly uuid: string;
}

const kernelInIso = "arch/boot/x86_64/vmlinuz-linux";
const initramfsInIso = "arch/boot/x86_64/initramfs-linux.img";
/** archiso names it after the moment of the build: boot/2025-01-01-12-34-56-00.uuid */
const uuidInIso = /^boot\/(\d{4}(?:-\d{2}){6})\.uuid$/;

/**
 * Kernel, initramfs and UUID of an Arch ISO, kept under `boot/` in the ISO directory by the ISO's checksum.
 * Throws VmsError: input (not an Arch ISO; says what is missing), requirement (no space left, no bsdtar), permission.
 */
export async function extractBootFiles(iso: Iso, context: Context): Promise<IsoBoot> {
  const target = join(context.settings.iso, "boot", iso.sha256.slice(0, 16));
  try {
    if (!(await exists(target))) await extract(iso, target, context);
    return { ...filesIn(target), uuid: (await readFile(join(target, "uuid"), "utf8")).trim() };
  } catch (error) {
    throw cannot("boot", "ISO", iso.path, error);
  }
}

function filesIn(directory: string): { kernel: string; initramfs: string } {
  return { kernel: join(directory, "vmlinuz-linux"), initramfs: join(directory, "initramfs-linux.img") };
}

/** The directory appears by a rename when all is in it, so one that is there is complete. */
async function extract(iso: Iso, target: string, context: Context): Promise<void> {
  const uuid = await findUuid(iso, context);
  await makeIsoDirectory(context);
  await makeIsoDirectory(context, "boot");
  await withIsoLock(target, context, async () => {
    if (await exists(target)) return;
    const draft = `${target}.tmp`;
    try {
      await rm(draft, { recursive: true, force: true }); // of a process that was killed
      await mkdir(draft);
      await unpack(iso, draft, context);
      await replaceFile(join(draft, "uuid"), `${uuid}\n`);
      await chmod(draft, 0o755);
      await renameDurably(draft, target);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw saysDiskFull(error) ? await diskFull(context.settings.iso, { cause: error }) : error;
    }
  });
}

async function findUuid(iso: Iso, context: Context): Promise<string> {
  const { stdout } = await run(["bsdtar", "-tf", iso.path], { signal: context.signal });
  const names = stdout.split("\n").map((name) => name.replace(/^\.\//, ""));
  const uuids = names.flatMap((name) => uuidInIso.exec(name)?.[1] ?? []);
  const missing = [kernelInIso, initramfsInIso].filter((name) => !names.includes(name)).map((name) => `/${name}`);
  if (uuids.length !== 1) missing.push(uuids.length === 0 ? "/boot/<date>.uuid" : "a single /boot/<date>.uuid");
  const [uuid] = uuids;
  if (missing.length === 0 && uuid !== undefined) return uuid;
  throw new VmsError("input", `it is not an Arch Linux installation ISO: it lacks ${missing.join(", ")}`, {
    hint: "Give an ISO made by archiso for x86_64, or leave iso out for the official one",
  });
}

async function unpack(iso: Iso, draft: string, context: Context): Promise<void> {
  const plain = ["--no-same-owner", "--no-same-permissions", "--strip-components", "3"];
  const from = ["--fast-read", "-xf", iso.path, "-C", draft, kernelInIso, initramfsInIso];
  await run(["bsdtar", ...plain, ...from], { timeout: 300, signal: context.signal });
  for (const path of Object.values(filesIn(draft))) await settle(path);
}

/** On disk and readable by qemu. A link is refused: following it would change the mode of what it points at. */
async function settle(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    await file.chmod(0o644);
    await file.sync();
  } finally {
    await file.close();
  }
}
