/** Users and groups, as the system's own databases (getent) have them. */
import { userInfo } from "node:os";
import { attempt } from "./command.js";

/** What useradd takes for a name. */
export const accountName = /^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/;

interface Group {
  readonly gid: number;
  readonly members: readonly string[];
}

export async function findGroup(name: string): Promise<Group | undefined> {
  const fields = await getent("group", name);
  if (fields === undefined) return undefined;
  return { gid: Number(fields[2]), members: (fields[3] ?? "").split(",") };
}

/** undefined: there is no such user. */
export async function findUser(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const fields = await getent("passwd", name);
  return fields === undefined ? undefined : { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/**
 * Who shall manage VMs where no user is named: the one who called sudo, or the one whose process this is. For root itself nobody:
 * root needs no group.
 */
export function resolveUser(
  named: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): string | undefined {
  const name = named ?? (process.getuid?.() === 0 ? environment["SUDO_USER"] : userInfo().username);
  return name === undefined || name === "" || name === "root" ? undefined : name;
}

async function getent(database: string, key: string): Promise<string[] | undefined> {
  // Status 2: there is none of this name.
  const { status, stdout } = await attempt(["getent", database, key]);
  return status === 0 ? stdout.split(":") : undefined;
}
