import assert from "node:assert/strict";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstUuid, GuestTree, secondUuid } from "./guest-tree.js";

const [key, otherKey, handKey] = ["a", "b", "c"].map(
  (comment) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEg0aP6OaAqgVoGkVh3D0w2yPDmbSsKyYsTTbQyGXP2k ${comment}`,
) as [string, string, string];

const first = {
  instance: firstUuid,
  revision: "1.aa",
  hostname: "one",
  user: "user",
  sudo: "password",
  authorized_keys: `${key}\n`,
  timezone: "Europe/Berlin",
  locale: "de_DE.UTF-8",
  keymap: "de-latin1",
};
const keysFile = "home/user/.ssh/authorized_keys";

describe("the settings of a guest that has an identity", () => {
  let tree: GuestTree;

  before(function () {
    if (process.getuid?.() !== 0) this.skip(); // it makes users and gives them files
  });

  beforeEach(async () => {
    tree = new GuestTree(mkdtempSync(join(tmpdir(), "vms-guest-")));
    tree.open();
    tree.give(first);
    const { status, stderr } = await tree.identity();
    assert.equal(status, 0, stderr);
  });

  afterEach(() => {
    rmSync(tree.root, { recursive: true, force: true });
  });

  function assertFirst(): void {
    assert.equal(tree.read("etc/hostname"), "one\n");
    assert.equal(readlinkSync(join(tree.root, "etc/localtime")), "../usr/share/zoneinfo/Europe/Berlin");
    assert.equal(tree.read("etc/locale.conf"), "LANG=de_DE.UTF-8\n");
    assert.equal(tree.read("etc/vconsole.conf"), "KEYMAP=de-latin1\n");
    assert.equal(tree.read(keysFile), `${key}\n`);
    assert.equal(tree.read("etc/sudoers.d/10-vms"), "user ALL=(ALL:ALL) ALL\n");
  }

  function sshdIsOn(): boolean {
    const wants = "etc/systemd/system/multi-user.target.wants";
    return tree.has(wants) && tree.list(wants).includes("sshd.service");
  }

  it("are taken again at a boot with a new revision, without new host keys or another machine-id", async () => {
    const hostKey = tree.read("etc/ssh/ssh_host_ed25519_key");
    tree.give({ revision: "2.bb", hostname: "two", sudo: "nopasswd", authorized_keys: `${otherKey}\n` });
    const { status, stderr } = await tree.identity();
    assert.equal(status, 0, stderr);
    assert.equal(tree.read("etc/hostname"), "two\n");
    assert.match(tree.read("etc/hosts"), /^127\.0\.1\.1 two$/m);
    assert.equal(tree.read(keysFile), `${otherKey}\n`);
    assert.equal(tree.read("etc/sudoers.d/10-vms"), "user ALL=(ALL:ALL) NOPASSWD: ALL\n");
    assert.equal(tree.read("etc/ssh/ssh_host_ed25519_key"), hostKey);
    assert.equal(tree.read("etc/machine-id"), "11111111111111111111111111111111\n");
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
  });

  it("go back to the defaults where the host no longer says anything of them", async () => {
    tree.takeBack("timezone", "locale", "keymap", "authorized_keys");
    tree.give({ revision: "2.bb" });
    const { status, stderr } = await tree.identity();
    assert.equal(status, 0, stderr);
    assert.equal(readlinkSync(join(tree.root, "etc/localtime")), "../usr/share/zoneinfo/UTC");
    assert.equal(tree.read("etc/locale.conf"), "LANG=en_US.UTF-8\n");
    assert.equal(tree.read("etc/vconsole.conf"), "KEYMAP=us\n");
    assert.equal(tree.read(keysFile), "");
    assert.ok(!sshdIsOn());
  });

  it("that the host says nothing new of stay as they were changed by hand", async () => {
    tree.write("etc/locale.conf", "LANG=C.UTF-8\n");
    tree.give({ revision: "2.bb", hostname: "two" });
    await tree.identity();
    assert.equal(tree.read("etc/hostname"), "two\n");
    assert.equal(tree.read("etc/locale.conf"), "LANG=C.UTF-8\n");
  });

  it("leave keys that were added by hand in place, and sshd on while there are any", async () => {
    tree.write(keysFile, `${key}\n${handKey}\n`);
    tree.give({ revision: "2.bb", authorized_keys: `${otherKey}\n` });
    await tree.identity();
    assert.equal(tree.read(keysFile), `${otherKey}\n${handKey}\n`);
    tree.takeBack("authorized_keys");
    tree.give({ revision: "3.cc" });
    await tree.identity();
    assert.equal(tree.read(keysFile), `${handKey}\n`);
    assert.ok(sshdIsOn());
  });

  it("leave sshd on that was turned on by hand", async () => {
    rmSync(join(tree.root, "var/lib/vms/sshd-enabled"));
    tree.takeBack("authorized_keys");
    tree.give({ revision: "2.bb" });
    await tree.identity();
    assert.equal(tree.read(keysFile), "");
    assert.ok(sshdIsOn());
  });

  it("are applied while it runs, and not undone by a restart from inside, which still has the old credentials", async () => {
    const { status, stderr } = await tree.apply({ ...first, revision: "2.bb", hostname: "two", keymap: "de-latin1" });
    assert.equal(status, 0, stderr);
    assert.equal(tree.read("etc/hostname"), "two\n");
    await tree.identity();
    assert.equal(tree.read("etc/hostname"), "two\n");
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
    // Later set back while it was off: a new revision with the old values.
    tree.give({ revision: "3.aa" });
    await tree.identity();
    assert.equal(tree.read("etc/hostname"), "one\n");
  });

  it("are applied all or none: a refusal says why, and what was taken is taken back", async () => {
    const { timezone, ...rest } = first;
    assert.ok(timezone);
    const { status, stderr } = await tree.apply({
      ...rest,
      revision: "2.bb",
      hostname: "two",
      sudo: "nopasswd",
      authorized_keys: `${otherKey}\n`,
      locale: "xx_XX.UTF-8",
    });
    assert.equal(status, 1);
    const last = stderr.trim().split("\n").at(-1) ?? "";
    assert.match(last, /^error: vms\.locale: there is no locale "xx_XX\.UTF-8"/);
    assert.doesNotMatch(last, /not taken back/);
    assertFirst();
    assert.equal(tree.read("var/lib/vms/revision"), "1.aa");
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
    await tree.identity();
    assertFirst();
  });

  it("are applied after a boot that failed on one, and then nothing is failed any more", async () => {
    tree.give({ revision: "2.bb", locale: "xx_XX.UTF-8" });
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), /^failed/);
    const { status, stderr } = await tree.apply({ ...first, revision: "3.cc" });
    assert.equal(status, 0, stderr);
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
    await tree.identity();
    assertFirst();
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
  });

  it("are not applied where they are meant for another machine, or bear a name that is none", async () => {
    const other = await tree.apply({ ...first, instance: secondUuid, hostname: "two" });
    assert.equal(other.status, 1);
    assert.match(other.stderr, /^error: the settings are not for this machine$/m);
    const hostile = await tree.apply({ "../../escape": "x", ...first, hostname: "two" });
    assert.equal(hostile.status, 1);
    assert.match(hostile.stderr, /^error: .* is not the name of a setting$/m);
    assertFirst();
  });

  it("of a clone that are not said take the source's keys out", async () => {
    tree.wakeUpIn(secondUuid);
    tree.write("etc/machine-id", "22222222222222222222222222222222\n");
    tree.takeBack("authorized_keys");
    tree.give({ instance: secondUuid, hostname: "clone", revision: "1.dd" });
    const { status, stderr } = await tree.identity();
    assert.equal(status, 0, stderr);
    assert.equal(tree.read(keysFile), "");
    assert.equal(tree.read("etc/hostname"), "clone\n");
  });
});
