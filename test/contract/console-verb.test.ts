import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { consoleLogPath } from "../../provider/storage/store.js";
import { eventually, minute } from "../support/scene.js";
import { makeSmallStore } from "../support/small-vm.js";
import { leaveAt, makeForeign, makeOff, stateOf } from "../support/states.js";
import { type TestStore, virsh } from "../support/store.js";
import { inTerminal, type Session, type Vms, vmsOn } from "../support/vms-command.js";

let counter = 0;

describe("the console and the viewer of a VM (real libvirtd, no guest)", () => {
  let store: TestStore;
  let vms: Vms;
  let name: string;

  before(async () => {
    store = await makeSmallStore();
    vms = vmsOn(store.settings, { DISPLAY: undefined, WAYLAND_DISPLAY: undefined });
  });
  beforeEach(() => {
    name = `vms-test-console-${process.pid}-${counter++}`;
  });
  after(() => store.remove());

  const terminal = (...args: string[]): Session => inTerminal(store.settings, ...args);

  it("console: hands the terminal over until Ctrl-], one at a time but with --force, and ends when the VM is off", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid);
    const first = terminal("console", name);
    try {
      await first.sees(/Leave it with Ctrl-\]/);
      // Nothing is there to boot from: the firmware ends in a shell of its own, which is spoken to as any guest is.
      await first.sees(/or any other key to continue/);
      first.write("\r");
      await first.sees(/Shell> $/);
      first.write("echo typed-%vms%-here\r");
      await first.sees(/\ntyped-.*-here/);
      const second = terminal("console", name);
      assert.equal((await second.ended).status, 1, second.said());
      assert.match(second.said(), /somebody else has its console open\n.*vms console \S+ --force/);
      const third = terminal("console", name, "--force");
      assert.equal((await first.ended).status, 1, first.said());
      assert.match(first.said(), /somebody else took its console/);
      await third.sees(/Leave it with Ctrl-\]/);
      third.write("\u001d");
      assert.equal((await third.ended).status, 0, third.said());
      assert.match(third.said(), /The console of \S+ is closed/);
      assert.equal(stateOf(uuid), "running");
      const last = terminal("console", name);
      await last.sees(/Leave it with Ctrl-\]/);
      virsh("destroy", uuid);
      assert.equal((await last.ended).status, 0, last.said());
      assert.match(last.said(), new RegExp(`${name} is (off|closed)`));
    } finally {
      if (stateOf(uuid) === "running") virsh("destroy", uuid);
    }
  });

  it("console: ends well when the VM is removed", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid);
    const session = terminal("console", name);
    await session.sees(/Leave it with Ctrl-\]/);
    virsh(`destroy ${uuid}; undefine ${uuid} --nvram`);
    assert.equal((await session.ended).status, 0, session.said());
    assert.match(session.said(), new RegExp(`${name} is (gone|off|closed)`));
    assert.doesNotMatch(session.said(), /Cannot/);
  });

  it("console: of a VM that is being made shows what it says, until Ctrl-C", async () => {
    const uuid = await makeOff(store, name);
    await leaveAt(uuid, "creating");
    appendFileSync(consoleLogPath(store.settings, name), "its first boot\n");
    const session = terminal("console", name);
    await session.sees(/is being made: this shows what its console says[^]*its first boot\n/);
    session.write("\u0003");
    assert.equal((await session.ended).status, 130, session.said());
  });

  it("console: refuses what is off, is not there, is not ours or is no name, and where there is no terminal", async () => {
    const uuid = await makeOff(store, name);
    const said = async (what: string): Promise<string> => {
      const session = terminal("console", what);
      const { status } = await session.ended;
      assert.equal(status, what === "Bad_Name" ? 2 : 1, session.said());
      return session.said();
    };
    assert.match(await said(name), /it is off\n {2}Start it: vms start /);
    assert.match(await said(`${name}x`), /there is no VM of that name\n {2}Did you mean /);
    assert.match(await said("Bad_Name"), /it is not a name that a VM can have/);
    makeForeign(uuid);
    assert.match(await said(name), /the domain of that name is not ours/);
    const { status, stderr } = await vms("console", name);
    assert.equal(status, 2);
    assert.ok(
      stderr.includes(`a console needs a terminal, and there is none here\n  What it said: vms log ${name}`),
      stderr,
    );
  });

  const programFolder = (): string => {
    const folder = join(store.settings.images, `${name}-bin`);
    mkdirSync(folder);
    return folder;
  };

  /** A viewer that connects as a SPICE client does and stays until it is told to end, or one that cannot. */
  function playViewer(lines: string): string {
    const folder = programFolder();
    const path = join(folder, "remote-viewer");
    writeFileSync(path, `#!/usr/bin/env bash\n${lines}\n`);
    chmodSync(path, 0o755);
    return `${folder}:${process.env["PATH"] ?? ""}`;
  }

  it("viewer: prints the URI where no viewer is installed, and says how to get one", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid, "--paused");
    // Of this host's programs it finds the one that it asks libvirt with.
    const PATH = programFolder();
    symlinkSync(execFileSync("which", ["virsh"], { encoding: "utf8" }).trim(), join(PATH, "virsh"));
    const { status, stdout, stderr } = await vmsOn(store.settings, { PATH, DISPLAY: ":0" })("viewer", name);
    virsh("destroy", uuid);
    assert.equal(status, 1, stderr);
    assert.match(stdout, /^spice:\/\/127\.0\.0\.1:\d+$/);
    assert.match(stderr, /neither remote-viewer nor virt-viewer is installed\n {2}Run: vms bootstrap/);
  });

  it("viewer: opens a window that stays when the command has ended", async () => {
    const uuid = await makeOff(store, name);
    virsh("start", uuid, "--paused");
    const seen = join(store.settings.images, "viewer-seen");
    const PATH = playViewer(
      `port=\${1##*:}\nexec 3<>"/dev/tcp/127.0.0.1/$port"\necho $$ >'${seen}.pid'\nread -r _ <&3\necho "closed" >'${seen}'`,
    );
    const { status, stdout, stderr } = await vmsOn(store.settings, { PATH, DISPLAY: ":0" })("viewer", name);
    assert.equal(status, 0, stderr);
    assert.match(stdout, new RegExp(`^remote-viewer shows ${name} \\(spice://127\\.0\\.0\\.1:\\d+\\)$`));
    // It connects before it writes this.
    await eventually(() => existsSync(`${seen}.pid`) && readFileSync(`${seen}.pid`, "utf8").endsWith("\n"), minute);
    process.kill(Number(readFileSync(`${seen}.pid`, "utf8")), 0);
    // It ends with the display, and not before.
    virsh("destroy", uuid);
    await eventually(() => existsSync(seen), minute);
  });

  it("viewer: says what to do and prints the URI where there is no display, and what a viewer says that cannot open", async () => {
    const uuid = await makeOff(store, name);
    assert.match((await vms("viewer", name)).stderr, /it is off\n {2}Start it: vms start /);
    virsh("start", uuid, "--paused");
    const none = await vms("viewer", name);
    assert.equal(none.status, 1);
    assert.match(none.stdout, /^spice:\/\/127\.0\.0\.1:\d+$/);
    assert.match(
      none.stderr,
      /neither DISPLAY nor WAYLAND_DISPLAY is set.*\n.*ssh -L \d+:127\.0\.0\.1:\d+ .*remote-viewer spice:/,
    );
    const PATH = playViewer(`echo "cannot open display: $DISPLAY" >&2\nexit 1`);
    const failed = await vmsOn(store.settings, { PATH, DISPLAY: ":77" })("viewer", name);
    assert.equal(failed.status, 1);
    assert.match(failed.stderr, /remote-viewer ended at once with status 1, and said: cannot open display: :77\n/);
    virsh("destroy", uuid);
  });
});
