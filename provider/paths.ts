/** Every file name that this package makes, in one place. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Settings } from "./settings.js";

/** This package's own folder, where `guest/`, `templates/` and `keys/` are: two above the compiled file. */
const packageRoot = fileURLToPath(new URL("../..", import.meta.url));

export const packageFiles = {
  root: packageRoot,
  guest: join(packageRoot, "guest"),
  domainTemplate: join(packageRoot, "templates", "domain.xml.hbs"),
  isoKeys: join(packageRoot, "keys"),
};

/** What lies under `VMS_IMAGES/vms`. */
export function storePaths(settings: Settings): {
  root: string;
  images: string;
  base: string;
  disk: string;
  nvram: string;
  lock: string;
  log: string;
} {
  const root = join(settings.images, "vms");
  return {
    root,
    /** Golden images: `<random>.qcow2` and `<recipe hash>.json` beside it. */
    images: join(root, "images"),
    /** Frozen disks that clones stand on. */
    base: join(root, "base"),
    /** Overlays, and disks that are being installed. */
    disk: join(root, "disk"),
    nvram: join(root, "nvram"),
    /** Empty files that are locked with flock; they stay. */
    lock: join(root, "lock"),
    /** Console logs, one a VM or image. */
    log: join(root, "log"),
  };
}

/** The pacman cache that installing guests write to. */
export function sharedPackageCache(settings: Settings): string {
  return join(settings.filesystems, "pkg", "shared");
}
