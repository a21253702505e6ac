/** `adopt: true`: a VM that the command line made becomes a resource of a stack, as it is and without a reinstall. */
import { VmsError } from "../errors.js";
import { findDomain, isOff, setMark } from "../libvirt/domain.js";
import { definedCredentials } from "../libvirt/credentials.js";
import type { Owner } from "../libvirt/mark.js";
import type { Connection } from "../libvirt/virsh.js";
import { imageInfo } from "../storage/qemu-img.js";
import { parseSize } from "../storage/size.js";
import { commandLine, type OwnDomain, requireOwn } from "./ownership.js";
import type { VmSpec } from "./spec.js";

/**
 * The command line's VM of this name, where it may be taken over; undefined where there is none. Throws VmsError where it cannot
 * become what the spec says: nothing has been changed then.
 */
export async function findAdoptable(spec: VmSpec, owner: Owner): Promise<OwnDomain | undefined> {
  if (spec.adopt !== true || owner.id === commandLine.id) return undefined;
  const domain = await findDomain(spec.connection, spec.name);
  if (domain?.mark?.owner.id !== commandLine.id) return undefined;
  const own = requireOwn(domain, commandLine);
  if (own.mark.phase !== "ready") {
    throw new VmsError("foreign", "the command line left it half-made, so there is nothing to take over", {
      hint: `Remove it: vms destroy ${spec.name}`,
    });
  }
  const hindrances = await findHindrances(spec, own);
  if (hindrances.length === 0) return own;
  throw new VmsError(
    "input",
    `it cannot be taken over, for this cannot be changed in place: ${hindrances.join("; ")}`,
    {
      hint: "Write in the program what the VM has, or give another name. The VM was left as it is",
    },
  );
}

async function findHindrances(spec: VmSpec, own: OwnDomain): Promise<string[]> {
  const user = (await definedCredentials(spec.connection, own.uuid))["vms.user"] ?? "unknown";
  const [disk] = own.disks;
  if (disk === undefined) return ["it has no disk any more"];
  const { capacity } = await imageInfo(disk, { shared: !(await isOff(spec.connection, own.uuid)) });
  return [
    ...(own.mark.profile === spec.profile ? [] : [`its profile is ${own.mark.profile}, not ${spec.profile}`]),
    ...(user === spec.user ? [] : [`its user is ${user}, not ${spec.user}`]),
    ...(capacity <= parseSize(spec.disk) ? [] : [`its disk has ${capacity} bytes and cannot shrink to ${spec.disk}`]),
  ];
}

/** The last step of taking over: until then, a failure leaves the VM the command line's. */
export async function handOver(connection: Connection, uuid: string, owner: Owner): Promise<void> {
  const domain = await findDomain(connection, uuid);
  if (domain === undefined) throw new VmsError("gone", "its domain is gone");
  const { mark } = requireOwn(domain, commandLine);
  await setMark(connection, uuid, { ...mark, owner });
}
