/** Who may use libvirt without being root: the members of its group. */
import { findGroup, findUser } from "./accounts.js";
import { type Command, type Finding, libvirtGroup, type Requirement } from "./requirement.js";

/** libvirt's packages make the group; where libvirt was installed by hand nobody may have. */
export const group: Requirement = {
  id: "group",
  description: `the group ${libvirtGroup}`,
  fatal: true,
  right: "root",
  settle: 0,
  probe: async () => {
    if ((await findGroup(libvirtGroup)) !== undefined) return undefined;
    return {
      reason: `there is no group ${libvirtGroup}`,
      commands: [{ argv: ["groupadd", "--system", libvirtGroup] }],
    };
  },
};

export const membership: Requirement = {
  id: "membership",
  description: `the user's place in the group ${libvirtGroup}`,
  fatal: true,
  right: "root",
  settle: 0,
  probe: async ({ user }): Promise<Finding | undefined> => {
    if (user === undefined || (await isMember(user))) return undefined;
    if ((await findUser(user)) === undefined) {
      return {
        reason: `there is no user ${JSON.stringify(user)} on this host`,
        commands: [],
        hint: "Name one that exists: user",
      };
    }
    const join: Command = { argv: ["usermod", "--append", "--groups", libvirtGroup, user] };
    return { reason: `${user} is not in the group ${libvirtGroup}`, commands: [join] };
  },
};

/** Whether the system's databases say so; the user's present login may not know yet. */
export async function isMember(user: string): Promise<boolean> {
  const [account, libvirt] = [await findUser(user), await findGroup(libvirtGroup)];
  if (account === undefined || libvirt === undefined) return false;
  return libvirt.members.includes(user) || libvirt.gid === account.gid;
}

/** A process keeps the groups that its login had: whether this one has to log in again to use libvirt's files. */
export async function needsNewLogin(
  uid: number,
  groups: readonly number[] = process.getgroups?.() ?? [],
): Promise<boolean> {
  if (uid === 0) return false;
  const libvirt = await findGroup(libvirtGroup);
  return libvirt !== undefined && !groups.includes(libvirt.gid);
}
