import { basename } from "node:path";
import { formatSize } from "../provider/storage/size.js";
import { compactVm, describeSharedFiles, type UsedFile } from "../provider/vm/shared-files.js";
import type { CliContext } from "./context.js";
import { columns } from "./table.js";

export interface ImagesOptions {
  readonly json?: boolean;
  /** The VM whose chain is to be made short. */
  readonly compact?: string;
}

const connection = "qemu:///system";

/** `vms images`: what VMs share, who uses it, and how much it takes up. */
export async function run({ json, compact }: ImagesOptions, context: CliContext): Promise<void> {
  if (compact !== undefined) {
    const count = await compactVm(connection, compact, context);
    context.print(
      count > 0
        ? `${compact} stands on its image now; ${count === 1 ? "a frozen disk was" : `${count} frozen disks were`} in between`
        : `${compact} has no frozen disk between its own and its image: there is nothing to shorten`,
    );
    return;
  }
  const files = await describeSharedFiles(connection, context);
  if (json === true) context.print(JSON.stringify(files, undefined, 2));
  else for (const line of table(files)) context.print(line);
}

function table(files: readonly UsedFile[]): string[] {
  if (files.length === 0) return ["There are no images yet. The first VM makes one: vms create <name>"];
  const cells = files.map((file) => [
    file.kind,
    file.profile ?? "-",
    formatSize(file.allocation),
    usersOf(file, files).join(", ") || "-",
    file.path,
  ]);
  return columns([["KIND", "PROFILE", "SIZE", "USED BY", "FILE"], ...cells]);
}

/** VMs, then the images and bases that are made on it. */
function usersOf({ users, above }: UsedFile, files: readonly UsedFile[]): string[] {
  const made = files.filter(({ path }) => above.includes(path));
  return [...users, ...made.map(({ kind, profile, path }) => `${kind} ${profile ?? basename(path)}`)];
}
