import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstUuid, GuestTree, secondUuid } from "./guest-tree.js";

const key =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEg0aP6OaAqgVoGkVh3D0w2yPDmbSsKyYsTTbQyGXP2k her\'s "key" $(touch /tmp/x)';

describe("guest/identity.sh", () => {
  let tree: GuestTree;

  before(function () {
    if (process.getuid?.() !== 0) this.skip(); // it makes users and gives them files
  });

  beforeEach(() => {
    tree = new GuestTree(mkdtempSync(join(tmpdir(), "vms-guest-")));
    tree.open();
  });

  afterEach(() => {
    rmSync(tree.root, { recursive: true, force: true });
  });

  it("takes on everything that the host says of a new machine", async () => {
    tree.give({
      instance: firstUuid.toUpperCase(),
      hostname: "work7.example.org",
      user: "user",
      sudo: "nopasswd",
      authorized_keys: `${key}\n\n`,
      timezone: "Europe/Berlin",
      locale: "de_DE.UTF-8",
      keymap: "de-latin1",
    });
    const { status, stderr } = await tree.identity();
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`, stderr);
    assert.equal(status, 0);
    assert.equal(tree.read("etc/hostname"), "work7.example.org\n");
    assert.equal(tree.read("etc/hosts"), "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 work7.example.org work7\n");
    assert.equal(readlinkSync(join(tree.root, "etc/localtime")), "../usr/share/zoneinfo/Europe/Berlin");
    assert.equal(tree.read("etc/locale.conf"), "LANG=de_DE.UTF-8\n");
    assert.match(tree.read("etc/locale.gen"), /^de_DE\.UTF-8 UTF-8$/m);
    assert.match(tree.read("etc/locale.gen"), /^en_US\.UTF-8 UTF-8$/m);
    assert.equal(tree.read("etc/vconsole.conf"), "KEYMAP=de-latin1\n");
    assert.match(tree.read("etc/passwd"), /^user:x:1000:1000::\/home\/user:\/bin\/bash$/m);
    assert.match(tree.read("etc/shadow"), /^user:!:/m, "no password");
    assert.match(tree.read("etc/group"), /^wheel:x:998:user$/m);
    assert.equal(tree.mode("home/user"), "0700");
    assert.equal(tree.read("etc/sudoers.d/10-vms"), "user ALL=(ALL:ALL) NOPASSWD: ALL\n");
    assert.equal(tree.mode("etc/sudoers.d/10-vms"), "0440");
    assert.equal(tree.read("home/user/.ssh/authorized_keys"), `${key}\n`);
    assert.equal(tree.mode("home/user/.ssh/authorized_keys"), "0600");
    assert.ok(tree.list("etc/systemd/system/multi-user.target.wants").includes("sshd.service"));
    assert.ok(tree.has("etc/ssh/ssh_host_ed25519_key.pub"));
    assert.equal(tree.mode("etc/ssh/ssh_host_ed25519_key"), "0600");
    assert.equal(tree.read("var/lib/vms/instance"), `${firstUuid}\n`);
  });

  it("changes nothing at the next boot of the same machine", async () => {
    tree.give({ instance: firstUuid, hostname: "one", user: "user" });
    await tree.identity();
    const hostKey = tree.read("etc/ssh/ssh_host_ed25519_key");
    tree.write("etc/hostname", "renamed-by-hand\n");
    const { status } = await tree.identity();
    assert.equal(status, 0);
    assert.equal(tree.read("etc/hostname"), "renamed-by-hand\n");
    assert.equal(tree.read("etc/ssh/ssh_host_ed25519_key"), hostKey);
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
  });

  it("gives a clone new host keys, and its user beside the one of the source", async () => {
    tree.give({ instance: firstUuid, hostname: "one", user: "first", sudo: "nopasswd" });
    await tree.identity();
    tree.write("home/first/mine", "data\n");
    const hostKey = tree.read("etc/ssh/ssh_host_ed25519_key");
    tree.wakeUpIn(secondUuid);
    tree.write("etc/machine-id", "22222222222222222222222222222222\n");
    tree.give({ instance: secondUuid, hostname: "two", user: "second", sudo: "password" });
    await tree.identity();
    assert.equal(tree.read("run/vms/identity"), `ok ${secondUuid}\n`);
    assert.equal(tree.read("etc/hostname"), "two\n");
    assert.notEqual(tree.read("etc/ssh/ssh_host_ed25519_key"), hostKey);
    assert.equal(tree.read("home/first/mine"), "data\n");
    assert.match(tree.read("etc/passwd"), /^first:x:1000:.*\nsecond:x:1001:/m);
    assert.equal(tree.read("etc/sudoers.d/10-vms"), "second ALL=(ALL:ALL) ALL\n");
  });

  it("says so when the machine-id of a clone was not renewed", async () => {
    tree.give({ instance: firstUuid });
    await tree.identity();
    tree.wakeUpIn(secondUuid);
    tree.give({ instance: secondUuid });
    const { status } = await tree.identity();
    assert.equal(status, 1);
    assert.match(
      tree.read("run/vms/identity"),
      new RegExp(`^failed ${secondUuid}: machine-id: .*init=/usr/lib/vms/init`),
    );
  });

  it("renews only the host keys where the host said nothing, or meant another machine", async () => {
    tree.give({ hostname: "not-for-us", user: "nobody-asked" });
    const { status } = await tree.identity();
    assert.equal(status, 0);
    assert.equal(tree.read("etc/hostname"), "archlinux\n");
    assert.ok(tree.has("etc/ssh/ssh_host_ed25519_key"));
    tree.wakeUpIn(secondUuid);
    tree.write("etc/machine-id", "22222222222222222222222222222222\n");
    tree.give({ instance: firstUuid });
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), /^failed .*: vms\.instance: .*not for this one/);
    assert.equal(tree.read("etc/hostname"), "archlinux\n");
    assert.equal(tree.read("var/lib/vms/instance"), `${secondUuid}\n`);
  });

  it("refuses every hostile value by name, runs none of it, and takes the good ones", async () => {
    const proof = join(tree.root, "proof");
    const hostile = `x"; touch ${proof}; $(touch ${proof}) \`touch ${proof}\` '`;
    tree.give({
      instance: firstUuid,
      hostname: hostile,
      user: `user\nroot ALL=(ALL) NOPASSWD: ALL`,
      authorized_keys: `${key}\n${hostile}\n`,
      timezone: "../../../etc/passwd",
      locale: `de_DE.UTF-8$(touch ${proof})`,
      keymap: "de-latin1",
    });
    const { status } = await tree.identity();
    assert.equal(status, 1);
    assert.ok(!tree.has("proof"), "a value was evaluated");
    const result = tree.read("run/vms/identity");
    assert.equal(result.split("\n").length, 2, "one line");
    for (const name of ["hostname", "user", "authorized_keys", "timezone", "locale"]) {
      assert.match(result, new RegExp(`vms\\.${name}: `));
    }
    assert.doesNotMatch(result, /vms\.keymap/);
    assert.equal(tree.read("etc/hostname"), "archlinux\n");
    assert.equal(tree.read("etc/locale.conf"), "LANG=en_US.UTF-8\n");
    assert.equal(tree.read("etc/vconsole.conf"), "KEYMAP=de-latin1\n");
    assert.ok(!tree.has("etc/sudoers.d/10-vms"));
    assert.ok(!tree.has("root/.ssh/authorized_keys"));
    assert.doesNotMatch(tree.read("etc/passwd"), /user/);
  });

  it("refuses values with control characters, empty ones, and names that systemd would not take", async () => {
    for (const hostname of ["a\0b", "a\tb", "", "-a", "a-", "a..b", "a_b", "a".repeat(65), "ä"]) {
      tree.give({ instance: firstUuid, hostname });
      await tree.identity();
      assert.match(tree.read("run/vms/identity"), /vms\.hostname: /, JSON.stringify(hostname));
      assert.equal(tree.read("etc/hostname"), "archlinux\n");
    }
  });

  it("tells an unknown locale, keymap and time zone, and takes them at a later boot without new host keys", async () => {
    tree.give({ instance: firstUuid, locale: "xx_XX.UTF-8", keymap: "nowhere", timezone: "Mars/Base" });
    await tree.identity();
    const failed = /vms\.timezone: .*"Mars\/Base".*vms\.locale: .*"xx_XX\.UTF-8".*vms\.keymap: .*"nowhere"/;
    assert.match(tree.read("run/vms/identity"), failed);
    const hostKey = tree.read("etc/ssh/ssh_host_ed25519_key");
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), failed, "a failure stays told until it is gone");
    tree.give({ locale: "de_DE.UTF-8", keymap: "us", timezone: "Europe/Berlin" });
    await tree.identity();
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
    assert.equal(tree.read("etc/locale.conf"), "LANG=de_DE.UTF-8\n");
    assert.equal(tree.read("etc/ssh/ssh_host_ed25519_key"), hostKey);
    assert.ok(!tree.has("var/lib/vms/failed"));
  });

  it("does not take an account of the system for the user", async () => {
    tree.give({ instance: firstUuid, user: "bin" });
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), /vms\.user: "bin" is an account of the system/);
    assert.ok(!tree.has("etc/sudoers.d/10-vms"));
  });

  it("leaves sudo as it is where the rule is not taken", async () => {
    tree.write("fixture/visudo-refuses", "");
    tree.give({ instance: firstUuid, user: "user", sudo: "nopasswd" });
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), /vms\.user: sudo does not take the rule/);
    assert.equal(tree.read("fixture/visudo"), "user ALL=(ALL:ALL) NOPASSWD: ALL\n");
    assert.ok(!tree.has("etc/sudoers.d/10-vms"));
    rmSync(join(tree.root, "fixture/visudo-refuses"));
    tree.give({ sudo: "always" });
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), /vms\.sudo is "always"/);
  });

  it("writes keys with the user's rights only, so that a planted link leads nowhere", async () => {
    tree.give({ instance: firstUuid, user: "user" });
    await tree.identity();
    mkdirSync(join(tree.root, "root/secret"), { mode: 0o700 });
    symlinkSync(join(tree.root, "root/secret"), join(tree.root, "home/user/.ssh"));
    tree.wakeUpIn(secondUuid);
    tree.write("etc/machine-id", "22222222222222222222222222222222\n");
    tree.give({ instance: secondUuid, authorized_keys: key });
    await tree.identity();
    assert.match(tree.read("run/vms/identity"), /vms\.authorized_keys: /);
    assert.deepEqual(tree.list("root/secret"), []);
  });

  it("starts over where the power went before the record was written", async () => {
    tree.give({ instance: firstUuid, hostname: "one", user: "user", sudo: "nopasswd", authorized_keys: key });
    await tree.identity();
    rmSync(join(tree.root, "var/lib/vms/instance"));
    rmSync(join(tree.root, "var/lib/vms/machine-id"));
    mkdirSync(join(tree.root, "etc/ssh/.host-keys.AAAAAA"), { recursive: true });
    const { status, stderr } = await tree.identity();
    assert.equal(status, 0, stderr);
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
    assert.deepEqual(
      tree.list("etc/ssh").filter((name) => name.startsWith(".")),
      [],
    );
  });
});
