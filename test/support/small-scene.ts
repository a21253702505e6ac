/**
 * Real stacks whose VMs need no guest: a project with the packed package, and a store with the small image, so that a VM that is not to
 * run is made in no time. One for all files of a run.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findDomain, type Domain } from "../../provider/libvirt/domain.js";
import { packageFiles } from "../../provider/paths.js";
import type { Settings } from "../../provider/settings.js";
import { attempt, type RunResult } from "../../provider/host/command.js";
import { makeProject, type Project, Stack } from "./project.js";
import { isoPath, publishSmallImage } from "./small-vm.js";
import { connection, environmentOf, makeStore, type TestStore } from "./store.js";

export interface SmallScene {
  readonly project: Project;
  readonly store: TestStore;
  stack(name: string): Promise<Stack>;
  /** Runs this checkout's command line on the scene's store. */
  vms(...args: string[]): Promise<RunResult>;
  clear(): Promise<void>;
}

let shared: Promise<SmallScene> | undefined;

export function openSmallScene(): Promise<SmallScene> {
  return (shared ??= makeScene());
}

after(async () => {
  await (await shared)?.clear();
});

async function makeScene(): Promise<SmallScene> {
  const store = makeStore();
  await publishSmallImage(store.settings, store.context);
  const project = await makeProject("/var/tmp");
  const environment = environmentIn(store.settings);
  return {
    project,
    store,
    stack: async (name) => {
      const stack = new Stack(project, name, environment);
      await stack.init();
      return stack;
    },
    vms: (...args) =>
      attempt([process.execPath, join(packageFiles.root, "dist/cli/main.js"), ...args], { env: environment }),
    clear: async () => {
      await store.remove();
      project.remove();
    },
  };
}

function environmentIn(settings: Settings): Record<string, string> {
  // A file that says nothing: what the host's own says must not count.
  const conf = join(settings.images, "vms.conf");
  writeFileSync(conf, "");
  return { ...environmentOf(settings), VMS_CONF: conf };
}

/** The text of a VM that stands on the small image; `more` is TypeScript source of further properties, `options` of Pulumi's. */
export function smallVm({ store }: SmallScene, resource: string, name: string, more = "", options = ""): string {
  const iso = JSON.stringify(isoPath(store.settings));
  const usual = `...{ profile: "minimal", network: "user", iso: ${iso}, memory: 512, cpus: 1, disk: "8G", running: false, name: ${JSON.stringify(name)} }`;
  return `new ArchVm(${JSON.stringify(resource)}, { ${usual}, ${more} }, { ${options} })`;
}

/** The text of a clone; `source` is TypeScript source. */
export function smallClone(resource: string, name: string, source: string, more = "", options = ""): string {
  const usual = `source: ${source}, name: ${JSON.stringify(name)}, ...{ running: false }`;
  return `new VmClone(${JSON.stringify(resource)}, { ${usual}, ${more} }, { ${options} })`;
}

export async function requireDomain(id: string): Promise<Domain> {
  const domain = await findDomain(connection, id);
  if (domain === undefined) throw new Error(`there is no domain ${id}`);
  return domain;
}
