/** POSIX access control lists of directories (acl(5)), by getfacl and setfacl. */
import { run } from "./command.js";
import { type Command, libvirtGroup } from "./requirement.js";

/** Entries with numeric ids, as getfacl prints them: "user:64055" -> "rwx", "default:other:" -> "---". */
export type Acl = ReadonlyMap<string, string>;

export async function readAcl(path: string): Promise<Acl> {
  const { stdout } = await run(["getfacl", "--omit-header", "--absolute-names", "--numeric", "--", path]);
  return parseAcl(stdout);
}

export function parseAcl(text: string): Acl {
  const entries = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^((?:default:)?(?:user|group|mask|other):\d*):([rwx-]{3})/.exec(line);
    if (match?.[1] !== undefined && match[2] !== undefined) entries.set(match[1], match[2]);
  }
  return entries;
}

/** Who is let in besides root and the libvirt group. */
export interface Grant {
  /** Not given: qemu runs as root, or needs no more than others have. */
  readonly qemuUser?: number | undefined;
  /** What others may do with the directory and with what is made in it. */
  readonly others: "---" | "r-x";
}

/**
 * What a directory's list must hold, for itself and (default) for what is made in it. The group is named although it owns the
 * directory: libvirt gives a running VM's disk to qemu's own group, and a named entry stays.
 */
function wantedEntries({ qemuUser, others }: Grant, group: string): [string, string][] {
  const own: [string, string][] = [
    ["user:", "rwx"],
    ["group:", "rwx"],
    [`group:${group}`, "rwx"],
    ...(qemuUser === undefined ? [] : [[`user:${qemuUser}`, "rwx"] as [string, string]]),
    ["mask:", "rwx"],
    ["other:", others],
  ];
  return [...own, ...own.map(([key, mode]): [string, string] => [`default:${key}`, mode])];
}

/** Whether the list grants all that; what an administrator added stays. */
export function grants(acl: Acl, grant: Grant, groupId: number): boolean {
  return wantedEntries(grant, String(groupId)).every(([key, mode]) => acl.get(key) === mode);
}

export function grantCommand(path: string, grant: Grant): Command {
  const entries = wantedEntries(grant, libvirtGroup).map(([key, mode]) => `${key}:${mode}`);
  return { argv: ["setfacl", "--modify", entries.join(","), "--", path] };
}

/** Whether both qemu and the libvirt group get through a directory that is not open to everybody. */
export function passes(
  acl: Acl,
  owner: { readonly uid: number; readonly gid: number },
  groupId: number,
  qemuUser: number | undefined,
): boolean {
  const unmasked = acl.get("mask:")?.endsWith("x") ?? true;
  const lets = (key: string): boolean => unmasked && acl.get(key)?.endsWith("x") === true;
  const qemuPasses = qemuUser === undefined || owner.uid === qemuUser || lets(`user:${qemuUser}`);
  return qemuPasses && (lets(`group:${groupId}`) || (owner.gid === groupId && lets("group:")));
}

/** Lets them through, and lets them see nothing of what is in it. */
export function passCommand(path: string, qemuUser: number | undefined): Command {
  const entries = [`group:${libvirtGroup}:--x`, ...(qemuUser === undefined ? [] : [`user:${qemuUser}:--x`])];
  return { argv: ["setfacl", "--modify", entries.join(","), "--", path] };
}
