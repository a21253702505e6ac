/** Where the console of a VM, or of the install that is made for it, is logged. */
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { type Domain, findDomain, listDomains } from "../libvirt/domain.js";
import type { Connection } from "../libvirt/virsh.js";
import { consoleLogPath } from "../storage/store.js";
import { consoleLogOf } from "./describe.js";
import { imageOwner } from "./install-leftovers.js";
import { findNamed } from "./named.js";
import type { OwnDomain } from "./ownership.js";

export interface LogSource {
  /** The domain whose console it is: it goes on for as long as that is there. */
  readonly uuid: string;
  readonly name: string;
  readonly path: string;
  /** An install, which ends with its domain. */
  readonly installs: boolean;
}

/** By the name of a VM, of one for which an image is being made, or of the domain in which that happens. */
export async function findLog(connection: Connection, name: string, { settings }: Context): Promise<LogSource> {
  const domain = await findDomain(connection, name);
  const made = domain?.mark?.phase === "ready" ? undefined : await findInstall(connection, name);
  const found = made ?? (await findNamed(connection, name));
  const installs = isInstall(found);
  const path = installs ? consoleLogPath(settings, found.name) : consoleLogOf(found);
  if (path === "") throw new VmsError("gone", "it has no console log", { hint: `See it live: vms console ${name}` });
  return { uuid: found.uuid, name: found.name, path, installs };
}

/** The install that is made for the VM of this name. */
async function findInstall(connection: Connection, name: string): Promise<OwnDomain | undefined> {
  return (await listDomains(connection)).find(
    (domain): domain is OwnDomain => isInstall(domain) && domain.mark?.madeFor === name,
  );
}

const isInstall = ({ mark }: Domain): boolean => mark?.owner.id === imageOwner.id;
