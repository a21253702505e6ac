import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { prepareHost } from "../../../provider/host/prepare.js";
import { service } from "../../../provider/host/services.js";
import { silent } from "../../../provider/progress.js";
import { FakeHost } from "./fake-host.js";

interface Unit {
  readonly load?: string;
  readonly file?: string;
  readonly active?: string;
}

/** What `systemctl show` prints of the units; others are not found. */
function unitsShown(units: Record<string, Unit>): string {
  const blocks = Object.entries(units).map(([id, { load = "loaded", file = "disabled", active = "inactive" }]) =>
    [`Id=${id}`, `LoadState=${load}`, `ActiveState=${active}`, `UnitFileState=${file}`].join("\n"),
  );
  return ["Id=virtlogd.socket\nLoadState=not-found\nActiveState=inactive\nUnitFileState=", ...blocks].join("\n\n");
}

const on: Unit = { file: "enabled", active: "active" };

describe("the libvirt service under systemd", () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = new FakeHost();
    mkdirSync(join(fake.root, "run/systemd/system"), { recursive: true });
  });
  afterEach(() => {
    fake.remove();
  });
  const enabled = async (units: Record<string, Unit>): Promise<readonly string[] | undefined> => {
    fake.answer("systemctl", unitsShown(units));
    return (await service.probe(fake.host))?.commands[0]?.argv;
  };

  it("is enabled and started as one daemon where the host has one", async () => {
    assert.deepEqual(await enabled({ "libvirtd.service": {}, "libvirtd.socket": {} }), [
      "systemctl",
      "enable",
      "--now",
      "libvirtd.service",
    ]);
  });

  it("is the one daemon where the host has both kinds and uses neither", async () => {
    const argv = await enabled({ "libvirtd.service": {}, "virtqemud.service": {}, "virtnetworkd.service": {} });
    assert.deepEqual(argv?.slice(3), ["libvirtd.service"]);
  });

  it("is one daemon a driver where the host uses those, only those that lack, and never both", async () => {
    const argv = await enabled({
      "libvirtd.service": {},
      "virtqemud.service": { file: "disabled", active: "inactive" },
      "virtqemud.socket": on,
      "virtnetworkd.service": {},
      "virtstoraged.service": {},
    });
    assert.deepEqual(argv?.slice(3), ["virtnetworkd.service", "virtstoraged.service"]);
  });

  it("is there where it runs and starts with the host", async () => {
    assert.equal(await enabled({ "libvirtd.service": on, "libvirtd.socket": on }), undefined);
  });

  it("is there where systemd starts it when somebody connects", async () => {
    assert.equal(await enabled({ "libvirtd.service": {}, "libvirtd.socket": on }), undefined);
  });

  it("is enabled where it runs and would not start with the host", async () => {
    fake.answer("systemctl", unitsShown({ "libvirtd.service": { file: "disabled", active: "active" } }));
    assert.match((await service.probe(fake.host))?.reason ?? "", /libvirtd does not start with the host/);
  });
});

describe("the libvirt service without systemd", () => {
  let fake: FakeHost;
  let servers: Server[];
  beforeEach(() => {
    servers = [];
    fake = new FakeHost();
    fake.script("libvirtd", "");
  });
  afterEach(() => {
    for (const server of servers) server.close();
    fake.remove();
  });
  const listen = async (path: string): Promise<void> => {
    const socket = join(fake.root, path);
    mkdirSync(dirname(socket), { recursive: true });
    const server = createServer();
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  };
  const listenAll = async (): Promise<void> => {
    for (const path of ["run/dbus/system_bus_socket", "run/libvirt/virtlogd-sock", "run/libvirt/libvirt-sock"])
      await listen(path);
  };
  const commands = async (): Promise<string[] | undefined> =>
    (await service.probe(fake.host))?.commands.map(({ argv }) => argv.join(" "));

  it("is started as a message bus, a log daemon and libvirtd, in this order", async () => {
    const run = join(fake.root, "run/dbus");
    const bus = [`mkdir -p ${run}`, `rm -f ${run}/pid`, "dbus-daemon --system --fork"];
    assert.deepEqual(await commands(), [...bus, "virtlogd -d", "libvirtd -d"]);
  });

  it("starts only what does not run", async () => {
    await listen("run/dbus/system_bus_socket");
    await listen("run/libvirt/virtlogd-sock");
    assert.deepEqual(await commands(), ["libvirtd -d"]);
  });

  it("is there where all of it answers", async () => {
    await listenAll();
    assert.equal(await commands(), undefined);
  });

  it("is ended where it is older than the message bus, which it would never find, and then started", async () => {
    await listenAll();
    fake.process(4711, "libvirtd");
    const started = (pid: number, ticks: number) =>
      fake.write(`proc/${pid}/stat`, `${pid} (some (name)) S${" 0".repeat(18)} ${ticks} 0\n`);
    started(4711, 100);
    assert.equal(await commands(), undefined, "which process the bus is is not known");
    fake.write("run/dbus/pid", "4700\n");
    started(4700, 99);
    assert.equal(await commands(), undefined);
    started(4700, 101);
    assert.equal(await commands(), undefined, "what else it may be is not known");
    fake.write("run/libvirtd.pid", "4711").write("proc/4711/cmdline", "/usr/sbin/libvirtd\0-d\0");
    const finding = await service.probe(fake.host);
    assert.match(finding?.reason ?? "", /libvirtd runs since before the message bus/);
    assert.deepEqual(await commands(), ["kill 4711"]);
    fake.write("proc/4711/cmdline", "/usr/sbin/libvirtd\0-d\0--listen\0");
    assert.equal(await commands(), undefined, "it would come back without its options");
    fake.write("proc/4711/cmdline", "libvirtd\0-d\0");
    assert.deepEqual(await commands(), ["kill 4711"]);
    fake.write("etc/libvirt/libvirtd.conf", '#auth_unix_rw = "polkit"\nauth_unix_rw = "none"\n');
    assert.equal(await commands(), undefined, "it asks nobody");
  });

  it("is called older than the message bus by a plain user only where it has refused them for that", async () => {
    await listenAll();
    fake.process(4711, "libvirtd").write("run/dbus/pid", "4700\n");
    for (const [pid, ticks] of [
      [4711, 1],
      [4700, 2],
    ] as const)
      fake.write(`proc/${pid}/stat`, `${pid} (name) S${" 0".repeat(18)} ${ticks} 0\n`);
    const user = { ...fake.host, uid: 1000 };
    fake.script("virsh", "echo qemu:///system");
    assert.equal(await service.probe(user), undefined);
    fake.script("virsh", 'echo "error: internal error: Unable to get system bus connection" >&2; exit 1');
    const finding = await service.probe(user);
    assert.match(finding?.reason ?? "", /before the message bus/);
    assert.deepEqual([finding?.commands, finding?.hint], [[], "Start it again as it was started"]);
  });

  it("never starts a second libvirtd beside one that runs and does not answer, and says which", async () => {
    fake.process(4711, "libvirtd");
    const finding = await service.probe(fake.host);
    assert.match(finding?.reason ?? "", /libvirtd runs \(process 4711\) but does not answer/);
    assert.deepEqual(finding?.commands, []);
  });

  it("takes neither a user's own libvirtd nor one that has ended for the host's", async () => {
    fake.process(4711, "libvirtd", 1000).process(4712, "libvirtd", 0, "Z (zombie)");
    assert.ok((await commands())?.includes("libvirtd -d"));
  });

  it("is waited for when it is started, and outlives what started it", async () => {
    await listen("run/dbus/system_bus_socket");
    await listen("run/libvirt/virtlogd-sock");
    // Answers only a while after the command ended, as the real one.
    const listens = 'setTimeout(() => require("net").createServer().listen(process.argv[1]), 500)';
    const pidFile = join(fake.root, "pid");
    fake.script(
      "libvirtd",
      `/usr/bin/setsid '${process.execPath}' -e '${listens}' "$FAKE_HOST/run/libvirt/libvirt-sock" </dev/null >/dev/null 2>&1 &
       printf %s "$!" >"$FAKE_HOST/pid"`,
    );
    try {
      const { mended } = await prepareHost([service], fake.host, silent, "");
      assert.deepEqual(mended, ["service"]);
      assert.equal(await commands(), undefined);
    } finally {
      process.kill(Number(readFileSync(pidFile, "utf8")));
    }
  });

  it("is one daemon a driver where the host has no libvirtd", async () => {
    const other = new FakeHost();
    for (const name of ["virtqemud", "virtnetworkd"]) other.script(name, "");
    const started = (await service.probe(other.host))?.commands.map(({ argv }) => argv[0]);
    other.remove();
    assert.deepEqual(started?.slice(-3), ["virtlogd", "virtnetworkd", "virtqemud"]);
  });
});
