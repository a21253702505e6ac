/** A store of its own for a test, made by bootstrap as a user would; removed with its domains. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
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
  remove(): Promise<void>;
}

export function makeStore(): TestStore {
  const root = mkdtempSync(join(tmpdir(), "vms-store-"));
  // qemu runs as a user of its own and must be able to pass through.
  chmodSync(root, 0o755);
  const settings: Settings = {
    images: join(root, "images"),
    iso: join(root, "iso"),
    filesystems: join(root, "filesystems"),
    pkgCache: join(root, "pkg"),
  };
  const environment = { VMS_IMAGES: settings.images, VMS_ISO: settings.iso, VMS_FILESYSTEMS: settings.filesystems };
  execFileSync(process.execPath, [join(packageFiles.root, "dist/cli/main.js"), "bootstrap"], {
    env: { ...process.env, ...environment },
    stdio: "pipe",
  });
  return {
    settings,
    context: { settings, progress: silent },
    remove: async () => {
      for (const { uuid, mark, disks } of await listDomains(connection)) {
        const files = [...disks, ...(mark?.files ?? [])];
        if (files.some((path) => path.startsWith(`${root}/`))) removeDomain(uuid);
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export function virsh(...args: string[]): string {
  return execFileSync("virsh", ["-q", "-c", connection, ...args], { encoding: "utf8" }).trim();
}

export function removeDomain(uuid: string): void {
  if (virsh("domstate", uuid) !== "shut off") virsh("destroy", uuid);
  virsh("undefine", uuid, "--nvram", "--managed-save", "--snapshots-metadata");
}
