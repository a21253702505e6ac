/** Changes to a VM that exists. Each is idempotent and looks at what is there, so that an interrupted update can be run again. */
import type { Context } from "../context.js";
import { VmsError } from "../errors.js";
import { type Domain, isOff } from "../libvirt/domain.js";
import { runInGuest } from "../libvirt/guest-agent.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { imageInfo, resizeDisk } from "../storage/qemu-img.js";
import { parseSize } from "../storage/size.js";
import { shutDown } from "./lifecycle.js";

/** Memory in MiB, at the next boot. */
export async function setMemory(connection: Connection, domain: Domain, memory: number): Promise<void> {
  if (domain.memory === memory) return;
  const size = `${memory}MiB`;
  // Down to a smaller maximum libvirt takes the current memory along; up it does not.
  await virsh(connection, ["setmaxmem", domain.uuid, size, "--config"]);
  await virsh(connection, ["setmem", domain.uuid, size, "--config"]);
}

/** At the next boot. */
export async function setCpus(connection: Connection, domain: Domain, cpus: number): Promise<void> {
  if (domain.cpus === cpus) return;
  const [first, second] =
    cpus > domain.cpus ? (["--maximum", undefined] as const) : ([undefined, "--maximum"] as const);
  for (const flag of [first, second]) {
    await virsh(connection, ["setvcpus", domain.uuid, String(cpus), "--config", ...(flag === undefined ? [] : [flag])]);
  }
}

export async function setAutostart(connection: Connection, uuid: string, autostart: boolean): Promise<void> {
  await virsh(connection, ["autostart", uuid, ...(autostart ? [] : ["--disable"])]);
}

/** Grows the disk, and the guest's root file system with it: now where it runs, else at its next boot. */
export async function growDisk(connection: Connection, domain: Domain, size: string): Promise<void> {
  const { uuid } = domain;
  const path = domain.disks[0];
  if (path === undefined) throw new VmsError("gone", "it has no disk any more");
  const bytes = parseSize(size);
  const off = await isOff(connection, uuid);
  const { capacity } = await imageInfo(path, { shared: !off });
  if (bytes < capacity) {
    throw new VmsError("input", `the disk has ${capacity} bytes already and cannot shrink to ${size}`);
  }
  if (off) {
    if (bytes > capacity) await resizeDisk(path, bytes);
    return;
  }
  if (bytes > capacity) await virsh(connection, ["blockresize", uuid, path, `${bytes}B`]);
  const { status, output } = await runInGuest(connection, uuid, "/usr/lib/vms/identity.sh", ["grow"], 120);
  if (status !== 0) {
    throw new VmsError("guest", `the disk has grown to ${size}, but the guest's root file system has not: ${output}`, {
      hint: "It grows at the next boot",
    });
  }
}

/** Enforces `running`; undefined leaves the VM as it is. */
export async function setRunning(
  connection: Connection,
  uuid: string,
  running: boolean | undefined,
  shutdownSeconds: number,
  context: Context,
): Promise<void> {
  if (running === undefined) return;
  const off = await isOff(connection, uuid);
  if (running && off) await virsh(connection, ["start", uuid]);
  if (!running && !off) await shutDown(connection, uuid, shutdownSeconds, context);
}
