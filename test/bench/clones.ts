/** Ten clones of a VM, and what they cannot be faster than: ten linked disks and ten definitions, by hand. */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../../provider/host/command.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { cloneVm } from "../../provider/vm/clone.js";
import { createVm } from "../../provider/vm/create.js";
import { commandLine } from "../../provider/vm/ownership.js";
import { removeVm } from "../../provider/vm/remove.js";
import { publishSmallImage, smallSpec } from "../support/small-vm.js";
import { connection, type TestStore } from "../support/store.js";
import type { Row } from "./measure.js";

const count = 10;
const indices = Array.from({ length: count }, (_, index) => index);

export async function cloneRows({ settings, context }: TestStore): Promise<Row[]> {
  await publishSmallImage(settings, context);
  const source = `vms-bench-source-${process.pid}`;
  const { uuid } = await createVm(smallSpec(settings, source), commandLine, context);
  const disk = (await findDomain(connection, uuid))?.disks[0] ?? "";
  execFileSync("qemu-io", ["-f", "qcow2", "-c", "write -q -P 1 0 8M", disk]);
  const name = (index: number): string => `vms-bench-clone-${process.pid}-${index}`;
  const clone = (index: number) =>
    cloneVm(
      { name: name(index), source, running: false, autostart: false, connection, timeouts: {}, settings },
      commandLine,
      context,
    );
  const remove = async (): Promise<void> => {
    for (const index of indices) await removeVm(connection, name(index), commandLine, context);
  };
  const before = usedKib(settings.images);
  const used = (): string => `${usedKib(settings.images) - before} KiB more on disk`;
  return [
    {
      what: `${count} clones, one after the other`,
      times: 3,
      work: async () => {
        for (const index of indices) await clone(index);
      },
      note: used,
      tidy: remove,
    },
    {
      what: `${count} clones at once`,
      times: 3,
      work: () => Promise.all(indices.map(clone)),
      note: used,
      tidy: remove,
    },
    await floorRow(settings.images, name, used),
  ];
}

async function floorRow(folder: string, name: (index: number) => string, used: () => string): Promise<Row> {
  const base = join(folder, "base.qcow2");
  await run(["qemu-img", "create", "-q", "-f", "qcow2", base, "64M"]);
  const files = (index: number) => ({ disk: join(folder, `${index}.qcow2`), xml: join(folder, `${index}.xml`) });
  for (const index of indices) {
    const { disk, xml } = files(index);
    await writeFile(
      xml,
      `<domain type="qemu"><name>${name(index)}</name><memory unit="MiB">128</memory><os><type machine="q35">hvm</type></os>
       <devices><disk type="file" device="disk"><driver name="qemu" type="qcow2"/><source file="${disk}"/><target dev="vda" bus="virtio"/></disk></devices></domain>`,
    );
  }
  return {
    what: `floor: ${count} times qemu-img create -b, virsh define`,
    times: 3,
    work: async () => {
      for (const index of indices) {
        const { disk, xml } = files(index);
        await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", disk]);
        await run(["virsh", "-q", "-c", connection, "define", xml]);
      }
    },
    note: used,
    tidy: async () => {
      for (const index of indices) await run(["virsh", "-q", "-c", connection, "undefine", name(index)]);
      execFileSync(
        "rm",
        indices.map((index) => files(index).disk),
      );
    },
  };
}

function usedKib(folder: string): number {
  return Number(execFileSync("du", ["-sk", folder], { encoding: "utf8" }).split("\t")[0]);
}
