/** A store of its own for a test, made by bootstrap as a user would; removed with its domains. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Context } from "../../provider/context.js";
import { listDomains } from "../../provider/libvirt/domain.js";
import { packageFiles } from "../../provider/paths.js";
import { silent } from "../../provider/progress.js";
import type { Settings } from "../../provider/settings.js";

export const connection = "qemu:///system";

export interface TestStore {
  readonly settings: Settings;
  readonly context: Context;
  /** `unmount` is called when its domains are gone. */
  remove(unmount?: (settings: Settings) => void): Promise<void>;
}

/** `mount` is called with VMS_IMAGES empty, before bootstrap. */
export function makeStore(mount?: (settings: Settings) => void): TestStore {
  const root = mkdtempSync(join(tmpdir(), "vms-store-"));
  // qemu runs as a user of its own and must be able to pass through.
  chmodSync(root, 0o755);
  const settings: Settings = {
    images: join(root, "images"),
    iso: join(root, "iso"),
    filesystems: join(root, "filesystems"),
    pkgCache: join(root, "pkg"),
  };
  if (mount !== undefined) {
    mkdirSync(settings.images);
    mount(settings);
  }
  bootstrap(settings);
  return {
    settings,
    context: { settings, progress: silent },
    remove: async (unmount) => {
      for (const { uuid, mark, disks } of await listDomains(connection)) {
        const files = [...disks, ...(mark?.files ?? [])];
        if (files.some((path) => path.startsWith(`${root}/`))) removeDomain(uuid);
      }
      unmount?.(settings);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** What makes a command line or a stack use that store. */
export const environmentOf = (settings: Settings): Record<string, string> => ({
  VMS_IMAGES: settings.images,
  VMS_ISO: settings.iso,
  VMS_FILESYSTEMS: settings.filesystems,
  VMS_PKG_CACHE: settings.pkgCache,
});

/** Makes the host ready as a user would: it starts libvirtd where that does not run. */
export function bootstrap(settings: Settings): void {
  execFileSync(process.execPath, [join(packageFiles.root, "dist/cli/main.js"), "bootstrap"], {
    env: { ...process.env, ...environmentOf(settings) },
    stdio: "pipe",
  });
}

export function virsh(...args: string[]): string {
  return execFileSync("virsh", ["-q", "-c", connection, ...args], { encoding: "utf8" }).trim();
}

export function removeDomain(uuid: string): void {
  if (virsh("domstate", uuid) !== "shut off") virsh("destroy", uuid);
  virsh("undefine", uuid, "--nvram", "--managed-save", "--snapshots-metadata");
}
