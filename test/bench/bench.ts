/** Times what a user waits for, each several times, and prints a table: how often, the least, the median and the most. */
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";
import { makeStore } from "../support/store.js";
import { cloneRows } from "./clones.js";
import { listRows } from "./lists.js";
import { heading, measureRow, type Row } from "./measure.js";

const connection = "qemu:///system";
const { root } = packageFiles;

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "vms-bench-"));
  const store = makeStore();
  try {
    console.log(heading());
    for (const row of [...(await cliRows(folder)), await floorRow(folder)]) console.log(await measureRow(row));
    for (const row of await cloneRows(store)) console.log(await measureRow(row));
    const { rows, tidy } = await listRows(store);
    for (const row of rows) console.log(await measureRow(row));
    await tidy();
  } finally {
    await store.remove();
    await rm(folder, { recursive: true });
  }
}

/** What any tool over libvirt cannot be faster than: a linked disk and a definition, by hand. */
async function floorRow(folder: string): Promise<Row> {
  const name = `vms-bench-${randomUUID().slice(0, 8)}`;
  const base = join(folder, "base.qcow2");
  const disk = join(folder, "disk.qcow2");
  const xml = join(folder, "domain.xml");
  await run(["qemu-img", "create", "-q", "-f", "qcow2", base, "8G"]);
  await writeFile(
    xml,
    `<domain type="qemu"><name>${name}</name><memory unit="MiB">512</memory><os><type machine="q35">hvm</type></os>
     <devices><disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="${disk}"/><target dev="vda" bus="virtio"/></disk></devices></domain>`,
  );
  return {
    what: "floor: qemu-img create -b, virsh define",
    times: 10,
    work: async () => {
      await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", disk]);
      await run(["virsh", "-q", "-c", connection, "define", xml]);
    },
    tidy: async () => {
      await run(["virsh", "-q", "-c", connection, "undefine", name]);
      await rm(disk);
    },
  };
}

async function cliRows(folder: string): Promise<Row[]> {
  const backend = join(folder, "state");
  const empty = join(folder, "empty");
  await mkdir(backend);
  await makeEmptyProgram(empty);
  const env = {
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    VMS_DEFAULT_PROFILE: "minimal",
  };
  const pulumi = (cwd: string, ...args: string[]): Promise<unknown> =>
    run(["pulumi", ...args, "--non-interactive"], { cwd, env, timeout: 300 });
  await pulumi(empty, "stack", "init", "bench");
  await pulumi(root, "stack", "init", "bench");
  // Only init takes no other place for it than the checkout.
  const config = ["--config-file", join(folder, "Pulumi.bench.yaml")];
  await rename(join(root, "Pulumi.bench.yaml"), join(folder, "Pulumi.bench.yaml"));
  return [
    { what: "vms --help, a checkout that is set up", times: 10, work: () => run([join(root, "vms"), "--help"]) },
    { what: "vms list", times: 5, work: () => run([join(root, "vms"), "list"]) },
    { what: "pulumi preview, an empty program", times: 3, work: () => pulumi(empty, "preview", "--stack", "bench") },
    {
      what: "pulumi preview, the sample stack, all to be made",
      times: 3,
      work: () => pulumi(root, "preview", "--stack", "bench", ...config),
    },
  ];
}

async function makeEmptyProgram(folder: string): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, "Pulumi.yaml"), "name: bench\nruntime: nodejs\nmain: index.js\n");
  await writeFile(join(folder, "package.json"), '{ "name": "bench", "private": true }\n');
  await writeFile(join(folder, "index.js"), "");
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
}

await main();
