/** The real thing on this host: its packages, its libvirtd, users made for the test, directories of the test's own. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bootstrap, findMissing } from "../../provider/bootstrap.js";
import type { Context } from "../../provider/context.js";
import { attempt, run, type RunResult } from "../../provider/host/command.js";
import { directories } from "../../provider/host/directories.js";
import { prepareHost } from "../../provider/host/prepare.js";
import type { Host } from "../../provider/host/requirement.js";
import { virsh } from "../../provider/libvirt/virsh.js";
import { packageFiles, storePaths } from "../../provider/paths.js";
import { silent } from "../../provider/progress.js";
import type { Settings } from "../../provider/settings.js";
import { addUser, removeUser } from "../support/users.js";

const connection = "qemu:///system";
const member = `vmst-m${process.pid}`;
const colleague = `vmst-c${process.pid}`;
const stranger = `vmst-s${process.pid}`;
const qemu = "libvirt-qemu";

const as = (user: string, ...argv: [string, ...string[]]): Promise<RunResult> =>
  attempt(["runuser", "--user", user, "--", ...argv]);
const may = async (user: string, right: "-r" | "-w" | "-x", path: string): Promise<boolean> =>
  (await as(user, "test", right, path)).status === 0;

describe("a host made ready", () => {
  let folder: string;
  let settings: Settings;
  let host: Host;
  let context: Context;

  before(async function () {
    if (process.getuid?.() !== 0) this.skip();
    // As a home directory is: closed to all but its owner.
    folder = await mkdtemp("/var/tmp/vms-bootstrap-");
    const at = (name: string): string => join(folder, name);
    settings = { images: at("deep/images"), iso: at("iso"), filesystems: at("filesystems"), pkgCache: at("cache") };
    host = { root: "/", uid: 0, user: undefined, packages: [], settings };
    context = { settings, progress: silent };
    for (const user of [member, colleague, stranger]) addUser(user, "--no-create-home");
    await bootstrap(context, { user: member });
    await bootstrap(context, { user: colleague });
  });

  after(async () => {
    if (process.getuid?.() !== 0) return;
    for (const user of [member, colleague, stranger]) removeUser(user);
    await rm(folder, { recursive: true, force: true });
  });

  const disk = (name: string): string => join(storePaths(settings).disk, name);
  /** As a plain member would make one. */
  const makeDisk = async (name: string, ...more: string[]): Promise<string> => {
    await run([
      "runuser",
      "--user",
      member,
      "--",
      "qemu-img",
      "create",
      "-q",
      "-f",
      "qcow2",
      ...more,
      disk(name),
      "16M",
    ]);
    await run(["runuser", "--user", member, "--", "chmod", "0660", disk(name)]);
    return disk(name);
  };
  const assertOpenToThemAlone = async (path: string): Promise<void> => {
    for (const user of [member, colleague, qemu]) {
      assert.deepEqual([await may(user, "-r", path), await may(user, "-w", path)], [true, true], `${user} at ${path}`);
    }
    assert.deepEqual([await may(stranger, "-r", path), await may(stranger, "-w", path)], [false, false], path);
  };

  it("lacks nothing, and making it ready again changes nothing", async () => {
    assert.deepEqual(await findMissing(context, { user: member }), []);
    const { changed, unavailable, facts } = await bootstrap(context, { user: member });
    assert.deepEqual([changed, unavailable], [[], []]);
    assert.match(facts.libvirtVersion, /^\d+\.\d+/);
    assert.match(facts.qemuVersion, /^\d+\.\d+/);
  });

  it("lets members of the libvirt group and qemu write what a member made, and nobody else read it", async () => {
    await assertOpenToThemAlone(await makeDisk("plain.qcow2"));
    await as(colleague, "rm", disk("plain.qcow2"));
    await assert.rejects(stat(disk("plain.qcow2")), /ENOENT/);
  });

  it("keeps it so while libvirt has given the file of a running VM to qemu, and afterwards", async () => {
    const path = await makeDisk("running.qcow2");
    const name = `vms-bootstrap-${process.pid}`;
    const xml = join(folder, "domain.xml");
    await writeFile(
      xml,
      `<domain type='qemu'><name>${name}</name><memory unit='MiB'>32</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>
       <devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${path}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`,
    );
    await virsh(connection, ["create", xml]);
    try {
      await assertOpenToThemAlone(path);
    } finally {
      await virsh(connection, ["destroy", name]);
    }
    await assertOpenToThemAlone(path);
  });

  it("lets nobody write an image that has no write bits, and qemu and the group read it", async () => {
    const path = await makeDisk("golden.qcow2");
    await chmod(path, 0o440);
    for (const user of [member, colleague, qemu]) {
      assert.deepEqual([await may(user, "-r", path), await may(user, "-w", path)], [true, false], user);
    }
    assert.equal(await may(stranger, "-r", path), false);
  });

  it("lets a guest's qemu write shared packages, and everybody read ISOs that a member put there", async () => {
    const shared = join(settings.filesystems, "pkg", "shared");
    assert.deepEqual([await may(qemu, "-w", shared), await may(member, "-w", shared)], [true, true]);
    assert.equal(await may(stranger, "-w", shared), false);
    await as(member, "cp", "/etc/os-release", join(settings.iso, "arch.iso"));
    assert.deepEqual(
      [await may(colleague, "-w", settings.iso), await may(stranger, "-w", settings.iso)],
      [true, false],
    );
  });

  it("finds what has gone missing, and mends that alone", async () => {
    const { disk: disks, log } = storePaths(settings);
    await run(["setfacl", "--remove-all", disks]);
    await rm(log, { recursive: true });
    const finding = await directories.probe(host);
    assert.match(finding?.reason ?? "", /log does not exist; .*disk is not open to the group libvirt and to qemu/);
    assert.equal((await prepareHost([directories], host, silent, "")).changed.length, 1);
    assert.equal(await directories.probe(host), undefined);
    await assertOpenToThemAlone(await makeDisk("mended.qcow2"));
  });

  it("changes nothing where a file is in the way, and names it", async () => {
    const blocked = { ...settings, iso: join(folder, "a-file") };
    await writeFile(blocked.iso, "");
    await assert.rejects(
      prepareHost([directories], { ...host, settings: { ...blocked, images: join(folder, "new") } }, silent, ""),
      /a-file is not a directory\n {2}Move it away/,
    );
    await assert.rejects(stat(join(folder, "new")), /ENOENT/);
  });

  describe("from the command line", () => {
    const main = join(packageFiles.root, "dist", "cli", "main.js");
    const vms = (env: Record<string, string>, ...args: string[]) => attempt([process.execPath, main, ...args], { env });

    it("says that nothing was changed", async () => {
      const env = { VMS_IMAGES: settings.images, VMS_ISO: settings.iso, VMS_FILESYSTEMS: settings.filesystems };
      const { status, stdout } = await vms(env, "bootstrap", "--user", member);
      assert.equal(status, 0);
      assert.match(stdout, /^Nothing was changed: this host is ready\.\n\w+, libvirt \d/);
    });

    it("tells a plain user what is missing and the exact command, and changes nothing", async () => {
      const images = join(folder, "others images");
      await chmod(folder, 0o711);
      const { status, stderr } = await attempt(
        ["runuser", "--user", stranger, "--", process.execPath, main, "bootstrap", "--package", "htop"],
        { env: { VMS_IMAGES: images, SUDO_USER: "" } },
      );
      assert.equal(status, 1);
      assert.match(stderr, /^Cannot prepare host ".*": this needs root's rights; nothing was changed\./);
      assert.match(stderr, new RegExp(`${stranger} is not in the group libvirt`));
      assert.match(stderr, /Run: (sudo env|su -c 'env) .*VMS_IMAGES=.*others images.* bootstrap .*--package htop/);
      await assert.rejects(stat(images), /ENOENT/);
      assert.doesNotMatch(await readFile("/etc/group", "utf8"), new RegExp(`^libvirt:.*${stranger}`, "m"));
    });

    it("shows a plain user on a terminal what mends what, and runs itself with sudo", async () => {
      const images = join(folder, "terminal");
      const played = join(folder, "played");
      await mkdir(join(played, "bin"), { recursive: true });
      await mkdir(join(played, "answers"));
      await chmod(folder, 0o711);
      await chmod(played, 0o777);
      await symlink(join(packageFiles.root, "test/fixtures/bin/answer"), join(played, "bin/sudo"));
      await writeFile(join(played, "answers/sudo"), "0\nplayed sudo\n");
      const { status, stdout } = await attempt(
        ["runuser", "--user", stranger, "--", "script", "-qec", `${process.execPath} ${main} bootstrap`, "/dev/null"],
        { env: { VMS_IMAGES: images, FAKE_HOST: played, PATH: `${join(played, "bin")}:${process.env["PATH"] ?? ""}` } },
      );
      assert.equal(status, 0, stdout);
      assert.match(stdout, new RegExp(`usermod --append --groups libvirt ${stranger}`));
      assert.match(
        stdout,
        /install --directory .*terminal.*Run with root's rights: sudo env VMS_IMAGES=.*played sudo/s,
      );
      const called = await readFile(join(played, "calls"), "utf8");
      assert.equal(called.trim(), `sudo env VMS_IMAGES=${images} ${process.execPath} ${main} bootstrap`);
    });

    it("refuses names that are none, before it looks at anything", async () => {
      const { status, stderr } = await vms({}, "bootstrap", "--user", "no one", "--package", "ok");
      assert.deepEqual([status, stderr.includes('--user: "no one" is not the name of a user')], [2, true]);
    });

    it("names the user that does not exist", async () => {
      const { status, stderr } = await vms({}, "bootstrap", "--user", "vmst-nobody");
      assert.deepEqual([status, stderr.includes('there is no user "vmst-nobody" on this host')], [1, true]);
    });

    it("says what the package manager said of a package that does not exist, and makes no directory before", async () => {
      const images = join(folder, "after-packages");
      const { status, stderr } = await vms({ VMS_IMAGES: images }, "bootstrap", "--package", "vms-no-such-package");
      assert.equal(status, 1);
      assert.match(stderr, /Cannot prepare host .* the packages that VMs need: .*vms-no-such-package/s);
      await assert.rejects(stat(images), /ENOENT/);
    });
  });

  it("opens the way to directories in a closed one to qemu and the group, and shows them nothing of it", async () => {
    const home = join(folder, "home");
    await mkdir(home, { mode: 0o700 });
    const own = { ...host, settings: { ...settings, images: join(home, "images") } };
    await prepareHost([directories], own, silent, "");
    for (const user of [member, qemu]) {
      assert.deepEqual([await may(user, "-r", home), await may(user, "-x", home)], [false, true], user);
    }
    assert.equal(await may(stranger, "-x", home), false);
    assert.equal(await directories.probe(own), undefined);
  });
});
