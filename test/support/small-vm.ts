/** VMs that are made in no time: a published image of 16 MiB without a system, behind an ISO without a content. */
import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../../provider/context.js";
import { stackOwner } from "../../provider/owner.js";
import { publishImage } from "../../provider/storage/image-store.js";
import { convertImage, createDisk, createOverlay } from "../../provider/storage/qemu-img.js";
import { newDiskPath, newImagePath } from "../../provider/storage/store.js";
import type { Settings } from "../../provider/settings.js";
import { planImage } from "../../provider/vm/image-plan.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { writeInside } from "./disk-content.js";
import { connection, makeStore, type TestStore } from "./store.js";

export const smallCapacity = 16 * 1024 ** 2;
export const imagePattern = 0x11;

const resourceUrn = "urn:pulumi:dev::tests::pulumi-nodejs:dynamic/vms:ArchVm::vm";

export const smallOwner = stackOwner(resourceUrn, "tests", { PULUMI_BACKEND_URL: "file:///nowhere" });

/** Never booted: there is nothing in it that could be. */
export function smallSpec(settings: Settings, name: string, changes: Partial<VmSpec> = {}): VmSpec {
  return {
    name,
    profile: "minimal",
    memory: 128,
    cpus: 1,
    disk: "16M",
    packages: [],
    iso: isoPath(settings),
    user: "user",
    authorizedKeys: [],
    network: "user",
    pacmanCache: false,
    running: false,
    autostart: false,
    acceleration: "tcg",
    connection,
    timeouts: {},
    settings,
    ...changes,
  };
}

export const isoPath = (settings: Settings) => join(settings.images, "empty.iso");

/** The spec as Pulumi would hand it to the provider. */
export function inputsOf(spec: VmSpec): Record<string, unknown> {
  return { ...spec, resourceUrn };
}

/** A store that has the small image. */
export async function makeSmallStore(): Promise<TestStore> {
  const store = makeStore();
  await publishSmallImage(store.settings, store.context);
  return store;
}

/** Publishes the image that `smallSpec` names, filled with `imagePattern`; returns the path of its disk. */
export async function publishSmallImage(settings: Settings, context: Context): Promise<string> {
  const spec = smallSpec(settings, "any");
  writeEmptyIso(settings);
  const { key, recipe } = (await planImage(spec, context)).layer;
  const disk = newImagePath(settings);
  await createDisk(disk, smallCapacity);
  execFileSync("qemu-io", ["-f", "qcow2", "-c", `write -q -P ${imagePattern} 0 ${smallCapacity}`, disk]);
  return (await publishImage(settings, key, recipe, disk)).path;
}

/** Publishes the image of a spec whose profile is made on that of the small image, with `pattern` in it at 1 MiB; returns its path. */
export async function publishOnSmallImage(
  spec: VmSpec,
  base: string,
  pattern: number,
  context: Context,
): Promise<string> {
  const { settings } = spec;
  const { key, recipe } = (await planImage(spec, context)).layer;
  const [disk, image] = [newDiskPath(settings), newImagePath(settings)];
  await createOverlay(disk, base);
  writeInside(disk, "1M", "64k", pattern);
  await convertImage(disk, image, context, base);
  rmSync(disk);
  return (await publishImage(settings, key, recipe, image)).path;
}

export function writeEmptyIso(settings: Settings): void {
  writeFileSync(isoPath(settings), emptyIso());
}

/** A primary volume descriptor and no volume: what is asked of a whole ISO 9660 image (ECMA-119, 8.4). */
function emptyIso(): Buffer {
  const [sectors, sector] = [18, 2048];
  const iso = Buffer.alloc(sectors * sector);
  const descriptor = iso.subarray(16 * sector);
  descriptor.writeUInt8(1, 0);
  descriptor.write("CD001", 1, "latin1");
  descriptor.writeUInt32LE(sectors, 80);
  descriptor.writeUInt16LE(sector, 128);
  return iso;
}
