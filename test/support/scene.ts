/** What the end-to-end tests share: a project with the packed package, directories of its own, and the stand-in's mirror. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listDomains } from "../../provider/libvirt/domain.js";
import { storePaths } from "../../provider/paths.js";
import type { Settings } from "../../provider/settings.js";
import { makeProject, type Project, Stack } from "./project.js";
import { serveStandIn, type StandIn } from "./stand-in.js";
import { connection, environmentOf, removeDomain } from "./store.js";

export const minute = 60_000;

export interface Scene {
  readonly project: Project;
  readonly standIn: StandIn;
  readonly settings: Settings;
  /** What a user would export before calling pulumi or vms. */
  readonly environment: Readonly<Record<string, string>>;
  /** A stack of its own in a folder of this name; `user` runs it instead of root. */
  stack(name: string, more?: Readonly<Record<string, string>>, user?: string): Promise<Stack>;
  /** Makes the host ready for the scene's directories, as a stack's HostBootstrap; once. */
  prepareHost(): Promise<void>;
  /** Every domain with a file in the scene's directories. */
  domains(): Promise<{ name: string; uuid: string }[]>;
  /** Files of VMs and images, relative to the store; locks and logs left out. */
  files(): string[];
  clear(): Promise<void>;
}

let shared: Promise<Scene> | undefined;

/** One scene for all files of a run, so that an image is installed once; it is cleared when the last test has ended. */
export function openScene(): Promise<Scene> {
  return (shared ??= makeScene());
}

after(async () => {
  await (await shared)?.clear();
});

async function makeScene(): Promise<Scene> {
  const built = await serveStandIn();
  const project = await makeProject("/var/tmp");
  const root = project.directory;
  // Built in root's home, where another user cannot get at it.
  const standIn = { ...built, iso: join(root, "archlinux.iso") };
  copyFileSync(built.iso, standIn.iso);
  const settings: Settings = {
    images: join(root, "images"),
    iso: join(root, "iso"),
    filesystems: join(root, "filesystems"),
    pkgCache: join(root, "pkg"),
  };
  mkdirSync(settings.images);
  chmodSync(settings.images, 0o711);
  const environment = { ...environmentOf(settings), VMS_CONF: "" };
  const domains = async () =>
    (await listDomains(connection)).filter(({ disks, mark }) =>
      [...disks, ...(mark?.files ?? [])].some((path) => path.startsWith(`${root}/`)),
    );
  const makeStack: Scene["stack"] = async (name, more = {}, user) => {
    const stack = new Stack(project, name, { ...environment, ...more }, user);
    await stack.init();
    return stack;
  };
  let prepared: Promise<void> | undefined;
  return {
    project,
    standIn,
    settings,
    environment,
    domains,
    stack: makeStack,
    prepareHost: () => (prepared ??= upHost(makeStack)),
    files: () => {
      const { images, base, disk, nvram } = storePaths(settings);
      return [images, base, disk, nvram].filter(existsSync).flatMap((directory) => readdirSync(directory));
    },
    clear: async () => {
      for (const { uuid } of await domains()) removeDomain(uuid);
      await standIn.close();
      project.remove();
    },
  };
}

async function upHost(makeStack: Scene["stack"]): Promise<void> {
  const host = await makeStack("prepared-host");
  host.write(`new HostBootstrap("host");`);
  const { status, output } = await host.up();
  if (status !== 0) throw new Error(output);
}

/** The program text of a VM of the stand-in; `more` is TypeScript source of further properties. */
export function vmProgram(scene: Scene, name: string, more = ""): string {
  const { iso, mirror } = scene.standIn;
  // Spread, so that what `more` says may be said twice.
  const usual = `...{ profile: "minimal", network: "user", iso: ${JSON.stringify(iso)}, mirror: ${JSON.stringify(mirror)} }`;
  return `new ArchVm(${JSON.stringify(name)}, { ${usual}, ${more} })`;
}

export function domainXml(uuid: string): string {
  return execFileSync("virsh", ["-c", connection, "dumpxml", "--inactive", uuid], { encoding: "utf8" });
}

/** Polls until the condition holds; fails loudly where it never does. */
export async function eventually(condition: () => boolean | Promise<boolean>, limit: number): Promise<void> {
  const deadline = Date.now() + limit;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${limit / 1000} s: ${condition.toString()}`);
    // Most conditions start programs, or ask a guest that is emulated beside them.
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

export function writeTemporary(scene: Scene, text: string): string {
  const path = join(scene.project.directory, "temporary.xml");
  writeFileSync(path, text);
  return path;
}

/** The texts of all console logs of the scene. */
export function logs(scene: Scene): string[] {
  const directory = storePaths(scene.settings).log;
  return readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
}

/** Waits until a log shows the pattern. */
export async function logged(scene: Scene, pattern: RegExp): Promise<void> {
  const log = storePaths(scene.settings).log;
  await eventually(() => existsSync(log) && logs(scene).some((text) => pattern.test(text)), 10 * minute);
}
