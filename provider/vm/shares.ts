/** Directories of the host that a guest mounts: what must be there for them, and what the guest is told. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { VmsError } from "../errors.js";
import { isVisible } from "../host/existence.js";
import { type SharedDirectory, shareTag } from "../libvirt/shares-edit.js";

/** Where programs that serve devices of a guest are announced (qemu's docs/interop/vhost-user.json); libvirt looks there too. */
const announcements = ["/etc/qemu/vhost-user", "/usr/share/qemu/vhost-user"];

/** Throws VmsError (input, requirement) where a share could not be given to a guest: before anything is changed for it. */
export async function checkShares(
  shares: readonly SharedDirectory[],
  announced: readonly string[] = announcements,
): Promise<void> {
  for (const { source } of shares) {
    const reason = await whyNotShared(source);
    if (reason === undefined) continue;
    throw new VmsError("input", `the directory ${source} cannot be shared: ${reason}`, {
      hint: "Make it, or correct shares",
    });
  }
  if (shares.every((share) => share.readOnly) || (await hasVirtiofsd(announced))) return;
  throw new VmsError("requirement", "virtiofsd is not installed, which a directory is shared by", {
    hint: "Run: vms bootstrap",
  });
}

async function whyNotShared(source: string): Promise<string | undefined> {
  try {
    return (await stat(source)).isDirectory() ? undefined : "it is not a directory";
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // libvirt serves it as root, so what we may not see may be there.
    if (code === "EACCES") return undefined;
    return code === "ENOENT" || code === "ENOTDIR" ? "it does not exist" : (error as Error).message;
  }
}

async function hasVirtiofsd(directories: readonly string[]): Promise<boolean> {
  for (const directory of directories) {
    for (const name of await readdir(directory).catch(() => [])) {
      const { type, binary } = JSON.parse(await readFile(join(directory, name), "utf8")) as Record<string, unknown>;
      if (type === "fs" && typeof binary === "string" && (await isVisible(binary))) return true;
    }
  }
  return false;
}

/** As guest/traits/shares.sh reads it: a line a share, with tag, kind of file system, rights and place. */
export function sharesCredential(shares: readonly SharedDirectory[] = []): Record<string, string> {
  const lines = shares.map(
    (share) => `${shareTag(share)} ${share.readOnly ? "9p ro" : "virtiofs rw"} ${share.target}\n`,
  );
  return lines.length === 0 ? {} : { "vms.shares": lines.join("") };
}
