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

/** `vms images`: what VMs share, who stands on it, and how much it takes up. */
export async function run({ json, compact }: ImagesOptions, context: CliContext): Promise<void> {
  if (compact !== undefined) {
    const length = await compactVm(connection, compact, context);
    context.print(
      length > 2
        ? `${compact} stands on one file now, before it was ${length - 1}`
        : `${compact} stands on one file at most: there is nothing to shorten`,
    );
    return;
  }
  const files = await describeSharedFiles(connection, context);
  if (json === true) context.print(JSON.stringify(files, undefined, 2));
  else for (const line of table(files)) context.print(line);
}

function table(files: readonly UsedFile[]): string[] {
  if (files.length === 0)
    return ["There are no images yet. The first VM makes one: vms create <name> --profile minimal"];
  const cells = files.map(({ kind, path, allocation, users }) => [
    kind,
    formatSize(allocation),
    users.length === 0 ? "-" : users.join(", "),
    path,
  ]);
  return columns([["KIND", "SIZE", "VMS", "FILE"], ...cells]);
}
