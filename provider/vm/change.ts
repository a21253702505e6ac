/** Changes to a VM that exists. Each is idempotent and looks at what is there, so that an interrupted update can be run again. */
import type { Context } from "../context.js";
import { hasCode, toVmsError, VmsError } from "../errors.js";
import { type Domain, domainState, isOff } from "../libvirt/domain.js";
import { runInGuest } from "../libvirt/guest-agent.js";
import { killDomain } from "../libvirt/power.js";
import { type Connection, virsh } from "../libvirt/virsh.js";
import { imageInfo, resizeDisk } from "../storage/qemu-img.js";
import { parseSize } from "../storage/size.js";
import { identityService } from "./identity.js";
import { shutDown, startVm } from "./lifecycle.js";

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
  const failure = await growFileSystem(connection, uuid);
  if (failure !== undefined) {
    throw new VmsError("guest", `the disk has grown to ${size}, but the guest's root file system has not: ${failure}`, {
      hint: "It grows at the next boot",
    });
  }
}

async function growFileSystem(connection: Connection, uuid: string): Promise<string | undefined> {
  try {
    const { status, output } = await runInGuest(connection, uuid, identityService, ["grow"], 120);
    return status === 0 ? undefined : output;
  } catch (error) {
    if (hasCode(error, "command", "guest")) return toVmsError(error).reason;
    throw error;
  }
}

/**
 * Ends a VM whose guest has crashed and that its definition keeps, where it is to run anyway: it starts anew then. Throws VmsError
 * (guest) where that is not said: what is kept may be somebody's to look at, and it has its disk open.
 */
export async function endCrashed(
  connection: Connection,
  uuid: string,
  running: boolean | undefined,
  context: Context,
): Promise<void> {
  if ((await domainState(connection, uuid)).state !== "crashed") return;
  if (running !== true) {
    throw new VmsError("guest", "its guest crashed, and its definition keeps it for a look at its memory", {
      hint: `End it: virsh -c ${connection} destroy ${uuid}. With running: true it is ended and started anew`,
    });
  }
  await killDomain(connection, uuid);
  context.progress.notice("Its guest had crashed: it is started anew");
}

/** Enforces `running`; undefined leaves the VM as it is. Started, it is awaited until it is ready. */
export async function setRunning(vm: RunningVm, running: boolean | undefined, context: Context): Promise<void> {
  if (running === undefined) return;
  const { connection, uuid, acceleration, limits } = vm;
  const { state, reason } = await domainState(connection, uuid);
  if (!running) return shutDown(connection, uuid, limits.shutdown, context);
  if (state === "shut off") return startVm({ ...vm, limit: limits.boot }, acceleration, context);
  if (state === "paused" && reason === "user") await virsh(connection, ["resume", uuid]);
  else if (state !== "running") {
    throw new VmsError("guest", `it is ${state} (${reason}), which this does not change`, {
      hint:
        reason === "I/O error"
          ? `Make room (df -h), then: virsh -c ${connection} resume ${uuid}`
          : `See: virsh -c ${connection} domstate --reason ${uuid}`,
    });
  }
}

export interface RunningVm {
  readonly connection: Connection;
  readonly uuid: string;
  readonly consoleLog: string;
  readonly acceleration: "kvm" | "tcg";
  /** In seconds. */
  readonly limits: { readonly boot: number; readonly shutdown: number };
}
