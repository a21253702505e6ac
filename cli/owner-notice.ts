import type { Owner } from "../provider/libvirt/mark.js";
import type { CliContext } from "./context.js";

/** Where the VM is a stack's: its program may want it otherwise. */
export function tellOwner(
  { name, owner }: { readonly name: string; readonly owner: Owner },
  context: CliContext,
): void {
  if (!owner.id.startsWith("stack:")) return;
  context.progress.notice(
    `${name} belongs to ${owner.label}: where its program sets running, the next pulumi up brings that back`,
  );
}
