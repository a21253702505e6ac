/**
 * The directories of disks, media and shared packages. Members of the libvirt group can do everything in them without root, the
 * user that qemu runs as can read and write whoever owns a file, and nobody else can read a disk. libvirt changes the owner and
 * group of the files of a running VM, so modes alone cannot say this: the access control lists do, and their defaults pass it on to
 * every file that is made there. (A file's own mode still limits its list: it has to be made with 0660, or 0440 when it is never
 * written again.)
 */
import type { Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sharedPackageCache, storePaths } from "../paths.js";
import type { Settings } from "../settings.js";
import { findGroup } from "./accounts.js";
import { type Grant, grantCommand, grants, passCommand, passes, readAcl } from "./acl.js";
import { isErrno } from "./errno.js";
import { findProgram } from "./programs.js";
import { findQemuUser } from "./qemu-user.js";
import { type Command, type Finding, type Host, libvirtGroup, type Requirement } from "./requirement.js";

interface Directory {
  readonly path: string;
  /** "passed": left as it is where it exists, but qemu and the group must get through. */
  readonly kind: "passed" | "private" | "readable";
}

export function neededDirectories(settings: Settings): Directory[] {
  const { root, ...parts } = storePaths(settings);
  return [
    { path: settings.images, kind: "passed" },
    { path: dirname(sharedPackageCache(settings)), kind: "passed" },
    { path: dirname(settings.iso), kind: "passed" },
    { path: root, kind: "private" },
    ...Object.values(parts).map((path): Directory => ({ path, kind: "private" })),
    { path: sharedPackageCache(settings), kind: "private" },
    { path: settings.iso, kind: "readable" },
  ];
}

export const directories: Requirement = {
  id: "directories",
  description: "the directories for disks, ISOs and packages",
  fatal: true,
  right: "root",
  settle: 0,
  probe: async (host) => {
    const who = await findWho(host);
    const findings: Finding[] = [];
    for (const directory of neededDirectories(host.settings)) {
      findings.push(...(await (directory.kind === "passed" ? probePassage : probeOwn)(host, directory, who)));
    }
    if (findings.length === 0) return undefined;
    const blocked = findings.find((finding) => finding.commands.length === 0);
    if (blocked !== undefined) return blocked;
    return {
      reason: summarize(findings),
      commands: mergePaths(findings.flatMap((finding) => finding.commands)),
      hint: "The file system must support access control lists (ext4, xfs and btrfs do): check where these directories are",
    };
  },
};

/** What is wrong with each; what is only not there, in one clause. */
function summarize(findings: readonly Finding[]): string {
  const reasons = [...new Set(findings.map((finding) => finding.reason))];
  const absent = reasons
    .filter((reason) => reason.endsWith(absentWords))
    .map((reason) => reason.slice(0, -absentWords.length));
  const others = reasons.filter((reason) => !reason.endsWith(absentWords));
  const clause =
    absent.length > 0 ? [`${absent.join(", ")}${absent.length === 1 ? absentWords : " do not exist"}`] : [];
  return [...clause, ...others].join("; ");
}

const absentWords = " does not exist";

interface Who {
  /** undefined as long as the group is not there. */
  readonly groupId: number | undefined;
  /** undefined where qemu runs as root, whom nothing keeps out. */
  readonly qemuUser: number | undefined;
  /** Whether lists can be read at all yet. */
  readonly acl: boolean;
}

async function findWho(host: Host): Promise<Who> {
  const [libvirt, qemuUser, getfacl] = [
    await findGroup(libvirtGroup),
    await findQemuUser(),
    await findProgram(host, "getfacl"),
  ];
  return { groupId: libvirt?.gid, qemuUser: qemuUser === 0 ? undefined : qemuUser, acl: getfacl !== undefined };
}

async function probeOwn(host: Host, { path: name, kind }: Directory, who: Who): Promise<Finding[]> {
  const path = join(host.root, name);
  // What everybody can read needs no entry for qemu, which writes nothing there.
  const grant: Grant = kind === "readable" ? { others: "r-x" } : { others: "---", qemuUser: who.qemuUser };
  const mode = kind === "readable" ? "2775" : "2770";
  const commands: Command[] = [
    { argv: ["install", "--directory", "--owner=root", `--group=${libvirtGroup}`, `--mode=${mode}`, path] },
    grantCommand(path, grant),
  ];
  const found = await look(path);
  if (found === "missing") return [{ reason: `${name}${absentWords}`, commands }];
  // Whoever is not in the group cannot judge what is inside a directory that is as it must be.
  if (found === "hidden") return [];
  if (!found.isDirectory()) return [notDirectory(name)];
  const setGroup = (found.mode & 0o2000) !== 0 && found.gid === who.groupId;
  if (setGroup && who.acl && grants(await readAcl(path), grant, found.gid)) return [];
  return [{ reason: `${name} is not open to the group ${libvirtGroup} and to qemu alone as it must be`, commands }];
}

/** From the top down to the directory itself: what is missing, and the first that keeps qemu or the group out. */
async function probePassage(host: Host, { path: name }: Directory, who: Who): Promise<Finding[]> {
  const missing: Finding[] = [];
  for (const ancestor of ancestors(name)) {
    const path = join(host.root, ancestor);
    const found = await look(path);
    if (found === "hidden") return missing;
    if (found === "missing") {
      const argv = ["install", "--directory", "--owner=root", "--group=root", "--mode=0711", path] as const;
      missing.push({ reason: `${ancestor}${absentWords}`, commands: [{ argv: [...argv] }] });
      continue;
    }
    if (!found.isDirectory()) return [notDirectory(ancestor)];
    if ((found.mode & 0o001) !== 0 || !who.acl || who.groupId === undefined) continue;
    const mayPass = passes(await readAcl(path), found, who.groupId, who.qemuUser);
    if (!mayPass)
      return [
        {
          reason: `${ancestor} keeps qemu or the group ${libvirtGroup} out`,
          commands: [passCommand(path, who.qemuUser)],
        },
      ];
  }
  return missing;
}

function notDirectory(name: string): Finding {
  return { reason: `${name} is not a directory`, commands: [], hint: `Move it away, then run: vms bootstrap` };
}

async function look(path: string): Promise<Stats | "missing" | "hidden"> {
  try {
    return await stat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return "missing";
    if (isErrno(error, "EACCES")) return "hidden";
    throw error;
  }
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...ancestors(parent), path];
}

/** One command for all the directories that the same is done to. They come with parents first, and stay so. */
function mergePaths(commands: readonly Command[]): Command[] {
  const merged = new Map<string, [string, ...string[]]>();
  for (const { argv } of commands) {
    const [path, same] = [argv.at(-1) ?? "", JSON.stringify(argv.slice(0, -1))];
    const soFar = merged.get(same);
    if (soFar === undefined) merged.set(same, [...argv]);
    else if (!soFar.includes(path)) soFar.push(path);
  }
  return [...merged.values()].map((argv) => ({ argv }));
}
