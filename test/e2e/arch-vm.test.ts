/** The main job, as one story: each test goes on where the one before it ended. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { storePaths } from "../../provider/paths.js";
import { inGuest } from "../support/guest.js";
import { commandOf, descendants, endProcess, killCli, killTree } from "../support/processes.js";
import type { Stack } from "../support/project.js";
import { virsh } from "../support/store.js";
import { addUser, removeUser } from "../support/users.js";
import {
  domainXml,
  eventually,
  logged,
  logs,
  minute,
  openScene,
  type Scene,
  vmProgram,
  writeTemporary,
} from "../support/scene.js";
import { tellInOrder } from "../support/story.js";

const names = {
  one: `vms-e2e-one-${process.pid}`,
  two: `vms-e2e-two-${process.pid}`,
  other: `vms-e2e-other-${process.pid}`,
  foreign: `vms-e2e-foreign-${process.pid}`,
};
const user = `vms-e2e-${process.pid}`;
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmrpW1JcHkjLQ2BqT9k9f1DPVkUAc2LYlQ6PxkSYpWq 'quoted' & <marked>";

describe("an ArchVm of a member of the libvirt group, from a bare host to destroy", function () {
  this.timeout(40 * minute);
  tellInOrder();
  let scene: Scene;
  let stack: Stack;
  let sharedDirectory: string;
  let foreign: { uuid: string; disk: string } | undefined;

  /** Two of one recipe, which one pulumi makes at once. */
  const program = (one = "", rest = "") => `
    const host = new HostBootstrap("host");
    const one = ${vmProgram(
      scene,
      "one",
      `name: ${JSON.stringify(names.one)}, disk: "12G", hostname: "First", user: "ada", password: "pa'ss \\"word\\" $(id)", rootPassword: "r00t",
       authorizedKeys: [${JSON.stringify(key)}], timezone: "Europe/Berlin", keymap: "de-latin1", ${one}`,
    ).replace(/\)$/, ", { dependsOn: host })")};
    const two = ${vmProgram(scene, "two", `name: ${JSON.stringify(names.two)}`).replace(/\)$/, ", { dependsOn: host })")};
    ${rest}
    export const { uuid, mac, ipAddress, state, diskPath, image, consoleLog, viewer } = one;
    export const second = two.uuid;`;

  const shares = () =>
    `shares: [{ source: ${JSON.stringify(sharedDirectory)}, target: "/home/ada/it is shared" },
              { source: ${JSON.stringify(join(sharedDirectory, "read-only"))}, target: "/mnt/read-only", readOnly: true }]`;

  before(async () => {
    scene = await openScene();
    addUser(user, "--create-home");
    sharedDirectory = mkdtempSync("/srv/vms-e2e-");
    writeFileSync(join(sharedDirectory, "from-host"), "host");
    mkdirSync(join(sharedDirectory, "read-only"));
    writeFileSync(join(sharedDirectory, "read-only/from-host"), "readable");
    chmodSync(sharedDirectory, 0o755);
    stack = await scene.stack("main", {}, user);
  });
  after(() => {
    rmSync(sharedDirectory, { recursive: true, force: true });
    removeUser(user);
    if (foreign === undefined) return;
    virsh("undefine", foreign.uuid);
    rmSync(foreign.disk, { force: true });
  });

  it("is previewed on a host where none of its directories is there, with inputs that are not known yet", async () => {
    stack.write(
      program(
        "",
        `new ArchVm("later", { name: one.uuid.apply((u) => "v" + u), profile: "minimal", memory: one.uuid.apply(() => 700) });`,
      ),
    );
    stack.checkTypes(true);
    const { status, output } = await stack.preview();
    stack.checkTypes(false);
    assert.equal(status, 0, output);
    assert.match(output, /\+ 5 to create/);
    assert.equal(existsSync(join(scene.settings.images, "vms")), false, "a preview changes nothing");
  });

  it("is refused to a user without the right to libvirt, with the command that gives it", async () => {
    const { status, output } = await stack.up();
    assert.notEqual(status, 0);
    assert.match(
      output,
      /this needs root's rights; nothing was changed[^]*Run: (sudo env|su -c 'env) VMS_IMAGES=.* bootstrap/,
    );
    assert.equal(existsSync(join(scene.settings.images, "vms")), false, "nothing was changed");
  });

  it("needs a host that root made ready for its user, once", async () => {
    const host = await scene.stack("host-of-main");
    host.write(
      `const host = new HostBootstrap("host", { user: ${JSON.stringify(user)} }); export const acceleration = host.acceleration;`,
    );
    const { status, output } = await host.up();
    assert.equal(status, 0, output);
    assert.equal((await host.up("--expect-no-changes")).status, 0);
    assert.match(String((await host.outputs())["acceleration"]), /^(kvm|tcg)$/);
  });

  it("whose install goes on when pulumi is killed gives up, and leaves nothing", async () => {
    stack.write(program());
    const interrupted = stack.start(["up", "--yes", "--skip-preview"]);
    const early = interrupted.then(({ all }) => assert.fail(`it was to be interrupted, and ended: ${all}`));
    let started: number[] = [];
    try {
      await Promise.race([early, eventually(async () => (await scene.domains()).length === 1, 5 * minute)]);
      started = descendants(interrupted.pid ?? 0);
      killCli(interrupted.pid);
    } catch (error) {
      killTree(interrupted.pid);
      throw error;
    }
    const ours = started.filter((pid) => commandOf(pid).includes("dynamic-provider"));
    assert.notDeepEqual(ours, []);
    await interrupted;
    await early.catch(() => undefined);
    await stack.unlock();
    await eventually(async () => (await scene.domains()).length === 0, minute);
    await eventually(() => ours.every((pid) => !existsSync(`/proc/${pid}`)), minute);
    // Pulumi's own language host does not notice.
    for (const pid of started) endProcess(pid, "SIGTERM");
    assert.deepEqual(scene.files(), []);
  });

  it("whose install is killed in the middle is healed by the next up, of two VMs and a second process at once, which make one image", async () => {
    const interrupted = stack.start(["up", "--yes", "--skip-preview"]);
    const ended = interrupted.then(({ all }) => assert.fail(`it was to be interrupted, and ended: ${all}`));
    try {
      await Promise.race([ended, logged(scene, /== step packages/)]);
    } finally {
      killTree(interrupted.pid);
    }
    await interrupted;
    await ended.catch(() => undefined);
    await stack.unlock();
    assert.equal((await scene.domains()).length, 1, "the domain of the install is left, with our mark");

    const other = await scene.stack("other");
    // It is done when it has its image and its disk: it need not boot.
    other.write(vmProgram(scene, "other", `name: ${JSON.stringify(names.other)}, running: false`));
    const [{ status, output }, second] = await Promise.all([stack.up(), other.up()]);
    assert.equal(status, 0, output);
    assert.equal(second.status, 0, second.output);
    // What each resource said is listed once at the end.
    const saying = (text: string) =>
      (output + second.output).split("\n").filter((line) => line === `    ${text}`).length;
    assert.equal(saying("installing packages"), 1, output + second.output);
    assert.ok(saying("waiting: the image of the profile minimal is being made already") >= 2, output + second.output);
    const images = scene.files().filter((file) => file.endsWith(".json"));
    assert.equal(images.length, 1);
    assert.equal((await other.destroy()).status, 0);
  });

  it("was installed by pacstrap and boots from its own disk, with our mark and no medium", async () => {
    const { uuid, state, ipAddress } = await stack.outputs();
    assert.equal(state, "running");
    assert.match(String(ipAddress), /^\d+\.\d+\.\d+\.\d+$/);
    const xml = domainXml(String(uuid));
    assert.match(xml, /<vms:vm xmlns:vms="urn:pulumi-vms:vm:1"[^>]* phase="ready"/);
    for (const leftover of ["<kernel>", "<initrd>", "<cmdline>", ".iso", "vms-payload"])
      assert.equal(xml.includes(leftover), false, leftover);
    assert.match(
      await inGuest(String(uuid), "pacman -Q linux qemu-guest-agent && cat /proc/cmdline"),
      /linux .*\n.*root=/s,
    );
  });

  it("has the root file system, host name, user, keys, time zone and keymap that were asked for", async () => {
    const uuid = String((await stack.outputs())["uuid"]);
    const gib = Number(await inGuest(uuid, "df --output=size -BM / | tail -1 | tr -dc 0-9")) / 1024;
    assert.ok(gib > 10.5, `the root file system has ${gib} GiB of a disk of 12`);
    assert.equal(await inGuest(uuid, "cat /etc/hostname /proc/sys/kernel/hostname"), "First\nFirst");
    assert.match(await inGuest(uuid, "getent passwd ada; id -nG ada"), /^ada:.*\n.*wheel/);
    assert.equal((await inGuest(uuid, "cat ~ada/.ssh/authorized_keys")).trim(), key);
    assert.match(await inGuest(uuid, "readlink /etc/localtime"), /Europe\/Berlin$/);
    assert.match(await inGuest(uuid, "cat /etc/vconsole.conf"), /^KEYMAP=de-latin1$/m);
    assert.equal(await inGuest(uuid, "systemctl --failed --no-legend --plain"), "");
  });

  it("differs from another of its image in all that identifies it", async () => {
    const { uuid, second } = await stack.outputs();
    for (const command of [
      "cat /etc/machine-id",
      "cat /proc/sys/kernel/hostname",
      "cat /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2",
      "cat /sys/class/net/eth0/address",
    ]) {
      const [one, two] = [await inGuest(String(uuid), command), await inGuest(String(second), command)];
      assert.notEqual(one, "");
      assert.notEqual(one, two, command);
    }
    const { images } = storePaths(scene.settings);
    const [image] = readdirSync(images).filter((name) => name.endsWith(".qcow2"));
    assert.equal(statSync(join(images, image ?? "")).mode & 0o222, 0, "an image has no write bits");
  });

  it("takes the passwords that were given, and keeps them nowhere in the clear", async () => {
    const uuid = String((await stack.outputs())["uuid"]);
    const state = await stack.state();
    const places = [
      state,
      domainXml(uuid),
      execFileSync("virsh", ["-c", "qemu:///system", "dumpxml", uuid], { encoding: "utf8" }),
      ...logs(scene),
    ];
    for (const place of places)
      for (const secret of ["pa'ss", "pa'ss \\\"", "r00t"]) assert.equal(place.includes(secret), false);
    const shadow = await inGuest(uuid, "getent shadow ada root | cut -d: -f2");
    assert.match(shadow, /^\$2b\$.*\n\$2b\$/);
  });

  it("keeps little in the state: no library code, no absolute path in a provider", async () => {
    const { deployment } = JSON.parse(await stack.state()) as {
      deployment: { resources: { inputs?: Record<string, unknown> }[] };
    };
    const providers = deployment.resources.flatMap(({ inputs }) => inputs?.["__provider"] ?? []);
    assert.ok(providers.length >= 2);
    for (const provider of providers) {
      const text = typeof provider === "string" ? provider : JSON.stringify(provider);
      assert.ok(text.length < 3000, `${text.length} characters`);
      assert.equal(/["'`]\/|require\(/.test(text), false, text);
    }
  });

  it("is unchanged by a second up", async () => {
    const { status, output } = await stack.up("--expect-no-changes");
    assert.equal(status, 0, output);
  });

  it("says in a preview what a change of memory, cpus, disk and name means", async () => {
    stack.write(program("memory: 3072, cpus: 1"));
    const { output } = await stack.preview("--diff");
    assert.match(output, /~ 1 to update/);
    assert.equal(/to replace/.test(output), false, output);
    assert.match(output, /memory 2048 -> 3072: in place, at the next boot/);
    stack.write(program().replace(names.one, `${names.one}-renamed`));
    const renamed = await stack.preview("--diff");
    assert.match(renamed.output, /1 to replace/);
    assert.match(renamed.output, /the data of the old one is lost/);
  });

  it("gives memory back while it runs, as the preview said", async () => {
    const uuid = String((await stack.outputs())["uuid"]);
    stack.write(program("memory: 1536"));
    assert.match((await stack.preview("--diff")).output, /memory 2048 -> 1536: in place, live/);
    assert.equal((await stack.up()).status, 0);
    await eventually(() => /^actual 1572864$/m.test(virsh("dommemstat", uuid)), 10 * minute);
    assert.match(domainXml(uuid), /<memory unit='KiB'>1572864<\/memory>/);
  });

  it("changes memory, cpus and autostart in place, and grows its disk and root file system while it runs", async () => {
    const uuid = String((await stack.outputs())["uuid"]);
    stack.write(program("memory: 3072, cpus: 1, autostart: true").replace('disk: "12G"', 'disk: "16G"'));
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    assert.match(domainXml(uuid), /<memory unit='KiB'>3145728<\/memory>[^]*<vcpu[^>]*>1<\/vcpu>/);
    assert.match(virsh("dominfo", uuid), /Autostart:\s+enable/);
    const gib = Number(await inGuest(uuid, "df --output=size -BM / | tail -1 | tr -dc 0-9")) / 1024;
    assert.ok(gib > 14.5, `the root file system has ${gib} GiB of a disk of 16`);
    assert.equal((await stack.up("--expect-no-changes")).status, 0);
  });

  it("refuses to shrink, in the preview", async () => {
    stack.write(program("memory: 3072, cpus: 1, autostart: true"));
    const { status, output } = await stack.preview();
    assert.notEqual(status, 0);
    assert.match(output, /property disk .*cannot shrink from 16G to 12G/);
  });

  it("is stopped and started by running, and boots with what was changed", async () => {
    const changed = (running: boolean) =>
      program(`memory: 3072, cpus: 1, autostart: true, running: ${String(running)}, ${shares()}`).replace(
        'disk: "12G"',
        'disk: "16G"',
      );
    stack.write(changed(false));
    assert.equal((await stack.up()).status, 0);
    assert.equal((await stack.outputs())["state"], "shut off");
    stack.write(changed(true));
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    const uuid = String((await stack.outputs())["uuid"]);
    assert.match(virsh("dominfo", uuid), /CPU\(s\):\s+1\n[^]*Max memory:\s+3145728 KiB/);
  });

  it("has the directories that the host shares, and can write to those only that are not read-only", async () => {
    const uuid = String((await stack.outputs())["uuid"]);
    assert.equal(
      await inGuest(uuid, "cat '/home/ada/it is shared/from-host' /mnt/read-only/from-host"),
      "hostreadable",
    );
    await inGuest(uuid, "echo -n guest >'/home/ada/it is shared/from-guest'");
    assert.equal(readFileSync(join(sharedDirectory, "from-guest"), "utf8"), "guest");
    await assert.rejects(inGuest(uuid, "mount -o remount,rw /mnt/read-only; touch /mnt/read-only/from-guest"));
    assert.equal(existsSync(join(sharedDirectory, "read-only/from-guest")), false);
    assert.equal(
      await inGuest(uuid, "systemctl is-system-running --wait || systemctl --failed --no-legend", 600),
      "running",
    );
  });

  it("that was changed by hand is reported by refresh and set right by up", async () => {
    const { uuid } = await stack.outputs();
    virsh("setmaxmem", String(uuid), "1GiB", "--config");
    const refreshed = await stack.refresh();
    assert.equal(refreshed.status, 0, refreshed.output);
    const preview = await stack.preview("--diff");
    assert.match(preview.output, /memory 1024 -> 3072/);
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    assert.match(domainXml(String(uuid)), /<memory unit='KiB'>3145728</);
  });

  it("is destroyed with all that is its own, and nothing else", async () => {
    const disk = join(storePaths(scene.settings).disk, "somebody-elses.qcow2");
    execFileSync("qemu-img", ["create", "-q", "-f", "qcow2", disk, "1M"]);
    const xml = `<domain type='qemu'><name>${names.foreign}</name><memory>65536</memory><os><type>hvm</type></os><devices><disk type='file'><driver type='qcow2'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`;
    virsh("define", writeTemporary(scene, xml));
    foreign = { uuid: virsh("domuuid", names.foreign), disk };
    const { status, output } = await stack.destroy();
    assert.equal(status, 0, output);
    assert.deepEqual(
      (await scene.domains()).map(({ name }) => name),
      [names.foreign],
    );
    const left = scene.files();
    assert.equal(left.filter((name) => name.endsWith(".json")).length, 1, "the image is kept");
    assert.equal(
      left.filter((name) => name.endsWith(".qcow2")).length,
      2,
      `the image's disk and the foreign one: ${left.join(" ")}`,
    );
    assert.equal(left.filter((name) => name.endsWith(".fd")).length, 0);
    assert.ok(existsSync(disk));
    assert.deepEqual(readdirSync(storePaths(scene.settings).lock), [], "no lock is left");
  });
});
