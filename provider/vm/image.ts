/**
 * The golden image of a recipe: taken where it is, else made by installing Arch in a domain of its own, which bears our mark and
 * is removed afterwards. Whoever dies in the middle leaves a marked domain that the next one removes.
 */
import { createHash, randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { access } from "node:fs/promises";
import type { Context } from "../context.js";
import { toVmsError } from "../errors.js";
import { detectAcceleration } from "../host/acceleration.js";
import { withLock } from "../host/lock.js";
import { inSlot } from "../host/slots.js";
import { type Boot, driveDisk, driveIso } from "../install/drive.js";
import { hashScripts, writePayload } from "../install/payload.js";
import { defineDomain, findDomain } from "../libvirt/domain.js";
import { domainXml, type DomainSpec, type Filesystem, randomMac } from "../libvirt/domain-xml.js";
import { nvramTemplate } from "../libvirt/firmware.js";
import type { Owner } from "../libvirt/mark.js";
import { virsh } from "../libvirt/virsh.js";
import { sharedPackageCache, storePaths } from "../paths.js";
import { extractBootFiles } from "../storage/iso-boot.js";
import { ensureIso, type Iso } from "../storage/iso.js";
import { findImage, type Image, publishImage, type Recipe } from "../storage/image-store.js";
import { convertImage, createDisk } from "../storage/qemu-img.js";
import {
  consoleLogPath,
  copyMedium,
  createConsoleLog,
  createNvram,
  newDiskPath,
  newImagePath,
  newMediumPath,
  newNvramPath,
  newPayloadPath,
  removeOwnFiles,
} from "../storage/store.js";
import { claimName, discardDomain, requireOwn } from "./ownership.js";
import { imageCapacity, type VmSpec } from "./spec.js";

/** Images belong to nobody in particular: every stack and the command line use them. */
const imageOwner: Owner = { id: "image", label: "the making of an image" };

/** In MiB: the live system unpacks into memory. */
const installMemory = 2048;

/** Returns the image of the VM's recipe, made now where there is none; of several callers one makes it and the others wait. */
export async function ensureImage(spec: VmSpec, context: Context): Promise<Image> {
  const iso = await ensureIso(spec.iso, context);
  const recipe = await recipeOf(spec, iso);
  const key = hashOf(recipe);
  const found = await findImage(spec.settings, key);
  if (found !== undefined) return found;
  return withLock(
    join(storePaths(spec.settings).lock, `image-${key.slice(0, 16)}`),
    async () => (await findImage(spec.settings, key)) ?? (await makeImage(spec, key, recipe, iso, context)),
    {
      signal: context.signal,
      onWait: () => {
        context.progress.phase("waiting: another process is installing the same image");
      },
    },
  );
}

async function recipeOf(spec: VmSpec, iso: Iso): Promise<Recipe> {
  return {
    iso: iso.sha256,
    mirror: spec.mirror ?? "",
    profile: spec.profile,
    packages: spec.packages,
    guest: await hashScripts(),
    capacity: imageCapacity,
  };
}

function hashOf(recipe: Recipe): string {
  return createHash("sha256").update(JSON.stringify(recipe)).digest("hex");
}

async function makeImage(spec: VmSpec, key: string, recipe: Recipe, iso: Iso, context: Context): Promise<Image> {
  const { settings, connection } = spec;
  const name = `vms-image-${key.slice(0, 12)}`;
  await claimName(connection, name, imageOwner, context);
  const { acceleration } = await detectAcceleration({ root: "/" }, spec.acceleration);
  const files = {
    disk: newDiskPath(settings),
    nvram: newNvramPath(settings),
    payload: newPayloadPath(settings),
    image: newImagePath(settings),
    // What lies elsewhere qemu may not be able to read, and libvirt must not change its owner.
    ...(iso.path.startsWith(`${settings.iso}/`) ? {} : { medium: newMediumPath(settings) }),
  };
  const log = consoleLogPath(settings, name);
  const domain: DomainSpec = {
    name,
    uuid: randomUUID(),
    mark: { owner: imageOwner, phase: "installing", profile: spec.profile, image: key, files: Object.values(files) },
    memory: installMemory,
    cpus: Math.min(availableParallelism(), 4),
    acceleration,
    mac: randomMac(),
    // User-mode networking needs no network of the host, and no firewall can be in its way.
    network: undefined,
    disk: files.disk,
    nvram: files.nvram,
    display: false,
    media: [{ path: files.payload, serial: "vms-payload" }],
    filesystems: await packageCaches(spec),
  };
  const boot: Boot = {
    connection,
    domain: domain.uuid,
    log,
    acceleration,
    timeouts: spec.timeouts,
    progress: context.progress,
    signal: context.signal,
  };
  return inSlot(acceleration, context, async () => {
    const bootFiles = await extractBootFiles(iso, context);
    const withIso: DomainSpec = {
      ...domain,
      media: [...(domain.media ?? []), { path: files.medium ?? iso.path, serial: "vms-iso" }],
      installer: {
        kernel: bootFiles.kernel,
        initramfs: bootFiles.initramfs,
        commandLine: isoCommandLine(bootFiles.uuid),
      },
    };
    await defineDomain(connection, domainXml(withIso));
    try {
      if (files.medium !== undefined) await copyMedium(iso.path, files.medium);
      await createDisk(files.disk, imageCapacity);
      await createNvram(files.nvram, await nvramTemplate());
      await writePayload(files.payload, { ...recipe, mirror: spec.mirror, recipe: key }, { signal: context.signal });
      await createConsoleLog(log);
      await virsh(connection, ["start", domain.uuid, "--paused"]);
      await driveIso(boot);
      await defineDomain(connection, domainXml(domain));
      await virsh(connection, ["start", domain.uuid, "--paused"]);
      await driveDisk(boot);
      context.progress.phase("publishing the image");
      await convertImage(files.disk, files.image, context);
      const image = await publishImage(settings, key, recipe, files.image);
      await discard(spec, domain.uuid, context);
      await removeOwnFiles(settings, [log]);
      return image;
    } catch (error) {
      await discardAfter(error, spec, domain.uuid, context);
      throw error;
    }
  });
}

/** The live system's own parameters, and a console on the serial line; it stays on its medium instead of being copied to memory. */
function isoCommandLine(uuid: string): string {
  return `archisobasedir=arch archisosearchuuid=${uuid} copytoram=n console=tty0 console=ttyS0,115200 net.ifnames=0 quiet loglevel=3`;
}

/** The host's own cache read-only, and one that all installs write to: packages are downloaded once. */
async function packageCaches(spec: VmSpec): Promise<Filesystem[]> {
  if (!spec.pacmanCache) return [];
  const candidates: Filesystem[] = [
    { source: sharedPackageCache(spec.settings), tag: "vms-pkg-shared", readOnly: false },
    { source: spec.settings.pkgCache, tag: "vms-pkg-cache", readOnly: true },
  ];
  const there = await Promise.all(candidates.map(({ source }) => exists(source)));
  return candidates.filter((_, index) => there[index]);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function discard(spec: VmSpec, uuid: string, context: Context): Promise<void> {
  const domain = await findDomain(spec.connection, uuid);
  if (domain !== undefined) await discardDomain(spec.connection, requireOwn(domain, imageOwner), context);
}

/** After a failure the domain goes and the log stays; what cannot be removed now is removed by the next install. */
async function discardAfter(failure: unknown, spec: VmSpec, uuid: string, context: Context): Promise<void> {
  try {
    await discard(spec, uuid, context);
  } catch (error) {
    context.progress.notice(
      `After this failure (${toVmsError(failure).reason}) the domain ${uuid} could not be removed: ${toVmsError(error).reason}. The next install removes it.`,
    );
  }
}
