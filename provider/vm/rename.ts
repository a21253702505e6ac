/** A VM that somebody has renamed at libvirt: the same VM still, by its UUID. */
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { type Domain, findDomain, isOff } from "../libvirt/domain.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { withVm } from "./ownership.js";

/** Only a domain that is off can be renamed; of one that runs it is said, and it keeps its name. */
export async function giveName(connection: Connection, domain: Domain, name: string, context: Context): Promise<void> {
  if (domain.name === name) return;
  if (!(await isOff(connection, domain.uuid))) {
    context.progress.notice(
      `libvirt calls it ${JSON.stringify(domain.name)}, and it runs: it can be named ${JSON.stringify(name)} again only when it is off`,
    );
    return;
  }
  const other = await findDomain(connection, name);
  if (other !== undefined) {
    throw new VmsError(
      "foreign",
      `libvirt calls it ${JSON.stringify(domain.name)}, and another domain has its name by now (UUID ${other.uuid})`,
      { hint: `Rename or remove that one, then try again: virsh -c ${connection} domrename ${other.uuid} NEW-NAME` },
    );
  }
  await virsh(connection, ["domrename", domain.uuid, name]);
}

/** Like `withVm`, by the name that it has for us and the one that it has at libvirt. */
export async function withRenamedVm<T>(
  connection: Connection,
  uuid: string,
  name: string,
  context: Context,
  work: () => Promise<T>,
): Promise<T> {
  return withVm(name, context, async () => {
    const called = (await findDomain(connection, uuid))?.name ?? name;
    return called === name ? work() : withVm(called, context, work);
  });
}
