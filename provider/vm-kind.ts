/** What tells the resources that are VMs apart; all else they share. */
import type { Context } from "./context.js";
import type { Owner } from "./libvirt/mark.js";
import type { CreateOptions } from "./vm/claim.js";
import type { Created } from "./vm/create.js";

export type Values = Record<string, unknown>;

export interface VmKind {
  /** A change of one of these makes a new VM. */
  readonly replacing: readonly string[];
  /** From checked inputs; loads what it needs when it is called. */
  make(inputs: Values, owner: Owner, context: Context, options: CreateOptions): Promise<Created>;
}
