import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Deadline, poll } from "../../provider/host/deadline.js";
import { openDomainConsole } from "../../provider/console/domain-console.js";
import type { Dialogue } from "../../provider/console/expect.js";
import { type GuestLostError, hasCode } from "../../provider/errors.js";
import { resumeGuest, watchGuest, whyConsoleEnded } from "../../provider/install/guest-life.js";
import { defineDomain } from "../../provider/libvirt/domain.js";
import { connection, makeStore, removeDomain, type TestStore, virsh } from "../support/store.js";

const greeting = "guest says hello\r\n";
/** A boot sector that prints the greeting on the first serial port, then sends back what it receives. */
const bootSector = makeBootSector(greeting);

function makeBootSector(text: string): Buffer {
  // xor ax,ax; mov ds,ax; cld; mov si,text; next: lodsb; test al,al; jz echo; mov ah,al; call send; jmp next
  // echo: mov dx,3fdh; in al,dx; test al,1; jz echo; mov dx,3f8h; in al,dx; mov ah,al; call send; jmp echo
  // send: mov dx,3fdh; in al,dx; test al,20h; jz send; mov dx,3f8h; mov al,ah; out dx,al; ret
  const code = Buffer.from(
    "31c08ed8fcbe327cac84c0740788c4e81500ebf4bafd03eca80174f8baf803ec88c4e80200ebedbafd03eca82074f8baf80388e0eec3",
    "hex",
  );
  const sector = Buffer.alloc(512);
  code.writeUInt16LE(0x7c00 + code.length, 6);
  code.copy(sector);
  sector.write(text, code.length, "latin1");
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

describe("the console of a domain (real libvirtd)", () => {
  let store: TestStore;
  let domain = "";
  let log = "";
  const consoles: Dialogue[] = [];

  beforeEach(async () => {
    store = makeStore();
    domain = randomUUID();
    log = join(store.settings.images, "console.log");
    const disk = join(store.settings.images, "boot.img");
    writeFileSync(disk, bootSector);
    await defineDomain(
      connection,
      `<domain type='qemu'>
        <name>vms-test-console-${process.pid}-${domain.slice(0, 8)}</name><uuid>${domain}</uuid>
        <memory unit='MiB'>16</memory>
        <os><type arch='x86_64' machine='pc'>hvm</type></os>
        <devices>
          <disk type='file' device='disk'>
            <driver name='qemu' type='raw'/><source file='${disk}'/><target dev='hda' bus='ide'/>
          </disk>
          <serial type='pty'/>
        </devices>
      </domain>`,
    );
  });

  afterEach(async () => {
    for (const dialogue of consoles.splice(0)) await dialogue.close();
    removeDomain(domain);
    await store.remove();
  });

  const guest = () => ({ connection, domain });
  const soon = () => new Deadline(30);

  async function attach(): Promise<Dialogue> {
    const whyEnded = async () => await whyConsoleEnded(guest());
    const dialogue = await openDomainConsole({ ...guest(), log, deadline: new Deadline(2), whyEnded });
    consoles.push(dialogue);
    return dialogue;
  }

  /** Attached before the guest ran, and greeted by it. */
  async function greeted(): Promise<Dialogue> {
    virsh("start", domain, "--paused");
    const dialogue = await attach();
    await resumeGuest(guest());
    await dialogue.expect("guest says hello\n", { what: "greeting", deadline: soon() });
    return dialogue;
  }

  async function assertLost(dialogue: Dialogue, why: RegExp): Promise<void> {
    await assert.rejects(dialogue.expect("more", { what: "more", deadline: soon() }), (error: GuestLostError) => {
      assert.match(error.why, why);
      return true;
    });
  }

  it("shows a guest from its first line on, and takes what is typed", async () => {
    const dialogue = await greeted();
    dialogue.send("typed\n");
    await dialogue.expect("typed\n", { what: "echo", deadline: soon() });
    assert.match(readFileSync(log, "utf8"), /guest says hello\ntyped\n/);
  });

  it("is not had of a domain that is off, and says what libvirt says", async () => {
    await assert.rejects(attach(), (error: Error) => {
      return hasCode(error, "guest") && /console cannot be opened: .*domain is not running/.test(error.message);
    });
  });

  it("ends when the domain is forced off, and says so", async () => {
    const dialogue = await greeted();
    virsh("destroy", domain);
    await assertLost(dialogue, /somebody forced the domain off/);
  });

  it("says that qemu crashed", async () => {
    const dialogue = await greeted();
    process.kill(Number(readFileSync(qemuPidFile(), "utf8")), "SIGSEGV");
    await assertLost(dialogue, /the domain crashed/);
  });

  it("ends when another program takes it, and says so", async () => {
    const first = await greeted();
    const second = await attach();
    await assertLost(first, /taken by another program/);
    second.send("typed\n");
    await second.expect("typed\n", { what: "echo", deadline: soon() });
  });

  it("stays when the domain is paused, which the watch over it tells", async () => {
    const dialogue = await greeted();
    const watch = watchGuest(guest(), dialogue);
    try {
      virsh("suspend", domain);
      await assertLost(dialogue, /somebody paused the domain/);
    } finally {
      await watch.stop();
    }
  });

  it("is free again when the process that had it is killed", async () => {
    virsh("start", domain, "--paused");
    const module = new URL("../../provider/console/domain-console.js", import.meta.url).href;
    const deadlines = new URL("../../provider/host/deadline.js", import.meta.url).href;
    const script = `
      const [{ openDomainConsole }, { Deadline }] = await Promise.all([import(${JSON.stringify(module)}), import(${JSON.stringify(deadlines)})]);
      await openDomainConsole({ ...${JSON.stringify({ ...guest(), log })}, deadline: new Deadline(10) });
      console.log("attached");`;
    const holder = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    assert.equal(consoleClients().length, 1);
    holder.kill("SIGKILL");
    const gone = async () => Promise.resolve(consoleClients().length === 0 ? true : undefined);
    assert.equal(await poll(gone, { deadline: soon() }), true, "virsh ended with the process that had started it");
  });

  /** The processes that have a console of the domain. */
  function consoleClients(): string[] {
    return readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
          return words.includes("console") && words.includes(domain);
        } catch {
          // It ended in the meantime.
          return false;
        }
      });
  }

  function qemuPidFile(): string {
    return `/run/libvirt/qemu/${virsh("domname", domain)}.pid`;
  }
});
