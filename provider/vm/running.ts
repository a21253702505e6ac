/** A VM that somebody wants to look at: it has to run. */
import { VmsError } from "../errors.js";
import { domainState } from "../libvirt/domain.js";
import type { Connection } from "../libvirt/virsh.js";
import { findNamed, requireWhole } from "./named.js";
import type { OwnDomain } from "./ownership.js";

export interface Active extends OwnDomain {
  readonly paused: boolean;
}

/** Also one that is being made, from its first boot on. Throws VmsError (guest) where it is off or has crashed. */
export async function findActive(connection: Connection, name: string): Promise<Active> {
  const vm = await findNamed(connection, name);
  const { state } = await domainState(connection, vm.uuid);
  if (state === "shut off") {
    requireWhole(vm);
    throw new VmsError("guest", "it is off", { hint: `Start it: vms start ${vm.name}` });
  }
  if (state === "crashed") {
    throw new VmsError("guest", "its guest crashed", {
      hint: `See why: vms log ${vm.name}. Start it anew: vms start ${vm.name}`,
    });
  }
  return { ...vm, paused: state === "paused" || state === "pmsuspended" };
}
