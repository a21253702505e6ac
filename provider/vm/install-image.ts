/**
 * Installing Arch: in a domain of its own by two boots, or by the second alone where it is made on an image that is there; the domain is
 * removed, whatever comes of it. What it leaves is an image, usually.
 */
import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import type { Context } from "../context.js";
import { isVisible } from "../host/existence.js";
import { detectAcceleration } from "../host/acceleration.js";
import { inSlot } from "../host/slots.js";
import { type Boot, driveDisk, driveIso } from "../install/drive.js";
import { type PayloadRecipe, writePayload } from "../install/payload.js";
import type { Step } from "../install/steps.js";
import { defineDomain, setMark } from "../libvirt/domain.js";
import { domainXml, type DomainSpec, type Filesystem, randomMac } from "../libvirt/domain-xml.js";
import { nvramTemplate } from "../libvirt/firmware.js";
import { startDomain } from "../libvirt/power.js";
import { sharedPackageCache } from "../paths.js";
import { extractBootFiles } from "../storage/iso-boot.js";
import type { Iso } from "../storage/iso.js";
import { type Image, publishImage } from "../storage/image-store.js";
import { convertImage, createDisk, createOverlay } from "../storage/qemu-img.js";
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
import { type Layer, profilesOf } from "./image-plan.js";
import { discardInstall, imageOwner, installName } from "./install-leftovers.js";
import { claimName } from "./ownership.js";
import { imageCapacity, type VmSpec } from "./spec.js";

/** In MiB: the live system unpacks into memory. */
const installMemory = 2048;

/** What is to be installed. */
export interface Order {
  readonly spec: VmSpec;
  readonly iso: Iso;
  readonly layer: Layer;
  /** The image that it is made on; without one everything is installed from the medium, what is below as well. */
  readonly base: Image | undefined;
}

/** Installs one layer and publishes its image. The caller holds the lock of the image. */
export async function makeImage(order: Order, context: Context): Promise<Image> {
  const {
    spec,
    base,
    layer: { key, recipe, profile },
  } = order;
  context.progress.phase(`making the image of the profile ${profile.name}`);
  const image = newImagePath(spec.settings);
  return installSystem(order, key, context, {
    disk: newDiskPath(spec.settings),
    image,
    deliver: async (disk, removeLog) => {
      context.progress.phase("publishing the image");
      await convertImage(disk, image, context, base?.path);
      context.reached?.("install: converted");
      // An image that is there is not installed again, so nobody would remove the log behind it.
      await removeLog();
      const published = await publishImage(spec.settings, key, recipe, image);
      context.reached?.("install: published");
      return published;
    },
  });
}

/** What is to become of an installed system. */
export interface Destination<T> {
  /** What it is installed on. */
  readonly disk: string;
  /** A further file that is made of it. */
  readonly image?: string;
  /** Whether the disk is somebody's when it is delivered, and does not go with the install. */
  readonly keepsDisk?: boolean;
  /** Called when the installed system is off. */
  deliver(disk: string, removeLog: () => Promise<void>): Promise<T>;
}

/** The caller holds the lock that `key` names. */
export async function installSystem<T>(
  order: Order,
  key: string,
  context: Context,
  destination: Destination<T>,
): Promise<T> {
  const { spec, iso, layer, base } = order;
  const { settings, connection } = spec;
  const name = installName(settings, key);
  await claimName(connection, name, imageOwner, context);
  context.reached?.("install: claimed");
  const { acceleration } = await detectAcceleration({ root: "/" }, spec.acceleration);
  const files = {
    disk: destination.disk,
    nvram: newNvramPath(settings),
    payload: newPayloadPath(settings),
    ...(destination.image === undefined ? {} : { image: destination.image }),
    // What lies elsewhere qemu may not be able to read, and libvirt must not change its owner.
    ...(base !== undefined || iso.path.startsWith(`${settings.iso}/`) ? {} : { medium: newMediumPath(settings) }),
  };
  const log = consoleLogPath(settings, name);
  const domain: DomainSpec = {
    name,
    uuid: randomUUID(),
    mark: {
      owner: imageOwner,
      phase: "installing",
      profile: layer.profile.name,
      image: key,
      files: Object.values(files),
      madeFor: spec.name,
    },
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
    ...context,
    connection,
    domain: domain.uuid,
    log,
    acceleration,
    timeouts: spec.timeouts,
  };
  return inSlot(acceleration, context, async () => {
    const first = base === undefined ? await withMedium(domain, iso, files.medium, context) : domain;
    await defineDomain(connection, domainXml(first));
    context.reached?.("install: defined");
    try {
      if (files.medium !== undefined) await copyMedium(iso.path, files.medium);
      context.reached?.("install: medium copied");
      if (base === undefined) await createDisk(files.disk, imageCapacity);
      else await createOverlay(files.disk, base.path);
      context.reached?.("install: disk made");
      await createNvram(files.nvram, await nvramTemplate());
      context.reached?.("install: nvram made");
      await writePayload(files.payload, payloadOf(order, key), { signal: context.signal });
      context.reached?.("install: payload written");
      await createConsoleLog(log);
      context.reached?.("install: log made");
      if (base === undefined) {
        await powerOn(boot);
        await driveIso(boot);
        await defineDomain(connection, domainXml(domain));
      }
      context.reached?.("install: redefined");
      await setUpProfiles(boot);
      const delivered = await destination.deliver(files.disk, async () => {
        await removeOwnFiles(settings, [log]);
        context.reached?.("install: log removed");
      });
      if (destination.keepsDisk === true) {
        const rest = domain.mark.files.filter((path) => path !== files.disk);
        await setMark(connection, domain.uuid, { ...domain.mark, files: rest });
      }
      return delivered;
    } finally {
      // After a failure the domain goes and the log stays.
      await discardInstall(connection, domain.uuid, context);
    }
  });
}

/** The boot of the installed system, and further ones where a step asks for a restart before the next. */
async function setUpProfiles(boot: Boot): Promise<void> {
  let steps: readonly Step[] | undefined;
  do {
    await powerOn(boot);
    steps = (await driveDisk(boot, steps)).rest;
  } while (steps.length > 0);
}

async function powerOn(boot: Boot): Promise<void> {
  await startDomain(boot.connection, boot.domain, { paused: true, signal: boot.signal });
  boot.reached?.("install: powered on");
}

async function withMedium(
  domain: DomainSpec,
  iso: Iso,
  copy: string | undefined,
  context: Context,
): Promise<DomainSpec> {
  const { kernel, initramfs, uuid } = await extractBootFiles(iso, context);
  return {
    ...domain,
    media: [...(domain.media ?? []), { path: copy ?? iso.path, serial: "vms-iso" }],
    installer: { kernel, initramfs, commandLine: isoCommandLine(uuid) },
  };
}

function payloadOf({ spec, layer, base }: Order, key: string): PayloadRecipe {
  return {
    mirror: spec.mirror,
    profiles: base === undefined ? profilesOf(layer) : [layer.profile],
    packages: layer.recipe.packages,
    recipe: key,
  };
}

/**
 * The live system's own parameters, and a console on the serial line; it stays on its medium instead of being copied to memory. The
 * kernel's test of the timer is left out: on a busy host an emulated one fails it, and the kernel panics.
 */
function isoCommandLine(uuid: string): string {
  return `archisobasedir=arch archisosearchuuid=${uuid} copytoram=n console=tty0 console=ttyS0,115200 net.ifnames=0 no_timer_check quiet loglevel=3`;
}

/** The host's own cache read-only, and one that all installs write to: packages are downloaded once. */
async function packageCaches(spec: VmSpec): Promise<Filesystem[]> {
  if (!spec.pacmanCache) return [];
  const candidates: Filesystem[] = [
    { source: sharedPackageCache(spec.settings), tag: "vms-pkg-shared", readOnly: false },
    { source: spec.settings.pkgCache, tag: "vms-pkg-cache", readOnly: true },
  ];
  const there = await Promise.all(candidates.map(({ source }) => isVisible(source)));
  return candidates.filter((_, index) => there[index]);
}
