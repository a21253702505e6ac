/** What can be changed inside of a VM, as one story that begins with a VM of the command line. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { execa } from "execa";
import { inGuest } from "../support/guest.js";
import type { Stack } from "../support/project.js";
import { virsh } from "../support/store.js";
import { domainXml, minute, openScene, type Scene, vmProgram } from "../support/scene.js";
import { tellInOrder } from "../support/story.js";

const name = `vms-e2e-change-${process.pid}`;
const [key, otherKey] = ["one", "two"].map(
  (comment) => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPmrpW1JcHkjLQ2BqT9k9f1DPVkUAc2LYlQ6PxkSYpWq ${comment}`,
) as [string, string];

describe("an ArchVm whose inside is changed", function () {
  this.timeout(40 * minute);
  tellInOrder();
  let scene: Scene;
  let stack: Stack;
  let uuid: string;
  let machineId: string;

  const write = (more: string) => {
    stack.write(`const vm = ${vmProgram(scene, "vm", `name: ${JSON.stringify(name)}, ${more}`)};
      export const { uuid, state } = vm;`);
  };
  const many = `password: "s3cret", rootPassword: "r00t", authorizedKeys: [${JSON.stringify(key)}], hostname: "renamed",
    timezone: "Europe/Berlin", locale: "de_DE.UTF-8", keymap: "de-latin1", packages: ["nano"]`;

  before(async () => {
    scene = await openScene();
    await scene.prepareHost();
    stack = await scene.stack("changes");
  });

  async function upWell(...args: string[]): Promise<string> {
    const { status, output } = await stack.up(...args);
    assert.equal(status, 0, output);
    return output;
  }

  async function upBadly(): Promise<string> {
    const { status, output } = await stack.up();
    assert.notEqual(status, 0, output);
    return output;
  }

  it("is made by the command line, and an error of the stack names adopt", async () => {
    const { iso, mirror } = scene.standIn;
    const args = ["--profile", "minimal", "--network", "user", "--iso", iso, "--mirror", mirror];
    const cli = join(scene.project.directory, "node_modules/pulumi-vms/dist/cli/main.js");
    const made = await execa("node", [cli, "create", name, ...args], { env: scene.environment, all: true });
    assert.match(made.all, /is running/);
    uuid = virsh("domuuid", name);
    machineId = await inGuest(uuid, "cat /etc/machine-id");
    write("");
    assert.match(await upBadly(), /it belongs to the command line[^]*adopt: true/);
  });

  it("is not taken over where that cannot be done in place, and is left as it was", async () => {
    const before = domainXml(uuid);
    write(`adopt: true, user: "ada", disk: "10G", hostname: "adopted"`);
    const output = await upBadly();
    assert.match(output, /its user is user, not ada; its disk has \d+ bytes and cannot shrink to 10G/);
    assert.equal(domainXml(uuid), before);
  });

  it("is taken over without a reinstall, and changed to what the program says", async () => {
    write(`adopt: true, hostname: "adopted"`);
    assert.match(await upWell(), /that the command line made is taken over as it is/);
    assert.equal((await stack.outputs())["uuid"], uuid);
    assert.match(domainXml(uuid), /owner="stack:/);
    assert.equal(await inGuest(uuid, "cat /etc/machine-id"), machineId);
    assert.equal(await inGuest(uuid, "cat /proc/sys/kernel/hostname"), "adopted");
    await upWell("--expect-no-changes");
    write(`hostname: "adopted"`);
    assert.match((await stack.preview("--diff")).output, /adopt true -> not set: recorded; it matters only when/);
  });

  it("says in a preview what each change means", async () => {
    write(many);
    const { output } = await stack.preview("--diff");
    for (const line of [
      /hostname adopted -> renamed: in place, at once/,
      /locale not set -> de_DE\.UTF-8: in place, at once/,
      /rootPassword changes: in place, at once/,
      /nano: installed in place by pacman -Syu, which upgrades the whole system/,
    ])
      assert.match(output, line);
    assert.equal(/to replace/.test(output), false, output);
  });

  it("takes all of them in one up while it runs", async () => {
    await upWell();
    assert.equal(await inGuest(uuid, "cat /etc/hostname /proc/sys/kernel/hostname"), "renamed\nrenamed");
    assert.match(await inGuest(uuid, "readlink /etc/localtime"), /Europe\/Berlin$/);
    assert.equal(await inGuest(uuid, "cat /etc/locale.conf"), "LANG=de_DE.UTF-8");
    assert.match(await inGuest(uuid, "locale -a"), /^de_DE\.utf8$/m);
    assert.match(await inGuest(uuid, "cat /etc/vconsole.conf"), /^KEYMAP=de-latin1$/m);
    assert.equal(await inGuest(uuid, "cat ~user/.ssh/authorized_keys"), key);
    assert.equal(await inGuest(uuid, "systemctl is-enabled sshd"), "enabled");
    assert.match(await inGuest(uuid, "getent shadow user root | cut -d: -f2"), /^\$2b\$.*\n\$2b\$/);
    assert.equal(await inGuest(uuid, "cat /etc/sudoers.d/10-vms"), "user ALL=(ALL:ALL) ALL");
    assert.match(await inGuest(uuid, "pacman -Q nano"), /^nano /);
    assert.equal(await inGuest(uuid, "systemctl --failed --no-legend --plain"), "");
    await upWell("--expect-no-changes");
  });

  it("is as it was where the guest refuses one of several", async () => {
    const before = domainXml(uuid);
    write(many.replace("renamed", "other").replace("de_DE", "xx_XX"));
    const output = await upBadly();
    assert.match(output, /the guest refuses it: vms\.locale: there is no locale "xx_XX\.UTF-8"/);
    assert.match(output, /The guest and the VM's definition are as they were/);
    assert.equal(domainXml(uuid), before);
    assert.equal(await inGuest(uuid, "cat /etc/hostname /proc/sys/kernel/hostname"), "renamed\nrenamed");
    assert.equal(await inGuest(uuid, "cat /etc/locale.conf"), "LANG=de_DE.UTF-8");
  });

  it("names a package that there is not, and records nothing of it", async () => {
    write(many.replace(`["nano"]`, `["nano", "no-such-package"]`));
    assert.match(await upBadly(), /target not found: no-such-package/);
    const preview = await stack.preview("--diff");
    assert.match(preview.output, /no-such-package: installed in place/);
    write(many.replace(`["nano"]`, `[]`));
    assert.match(
      (await stack.preview("--diff")).output,
      /nano: recorded; what is taken out of the list stays installed/,
    );
    await upWell();
    assert.match(await inGuest(uuid, "pacman -Q nano"), /^nano /);
  });

  it("takes a host name and keys at its next boot where it is off, and stays off until then", async () => {
    await inGuest(uuid, "touch ~user/mine");
    const rest = `hostname: "renamed", password: "s3cret", rootPassword: "r00t"`;
    write(`${rest}, authorizedKeys: [${JSON.stringify(key)}], running: false`);
    await upWell();
    assert.equal(await stateOf(), "shut off");
    write(`${rest.replace("renamed", "later")}, authorizedKeys: [${JSON.stringify(otherKey)}]`);
    assert.match((await stack.preview("--diff")).output, /hostname renamed -> later: in place, at the next boot/);
    await upWell();
    assert.equal(await stateOf(), "shut off");
  });

  it("is started for passwords where it is off, and shut down again; what is taken out goes", async () => {
    const rest = `hostname: "later", authorizedKeys: [${JSON.stringify(otherKey)}]`;
    write(rest);
    const { output } = await stack.preview("--diff");
    assert.match(
      output,
      /rootPassword changes: .*it is started for it and shut down again; the account is locked again/,
    );
    assert.match(await upWell(), /It is off and is started for the change of passwords, then shut down again/);
    assert.equal(await stateOf(), "shut off");
    write(`${rest}, running: true`);
    await upWell();
    assert.equal(await inGuest(uuid, "cat /etc/hostname /proc/sys/kernel/hostname"), "later\nlater");
    assert.equal(await inGuest(uuid, "cat ~user/.ssh/authorized_keys"), otherKey);
    assert.equal(await inGuest(uuid, "cat /etc/machine-id"), machineId);
    assert.equal(await inGuest(uuid, "getent shadow user root | cut -d: -f2"), "!\n!");
    assert.equal(await inGuest(uuid, "cat /etc/sudoers.d/10-vms"), "user ALL=(ALL:ALL) NOPASSWD: ALL");
    assert.match(await inGuest(uuid, "readlink /etc/localtime"), /UTC$/);
    assert.equal(await inGuest(uuid, "cat /etc/locale.conf"), "LANG=en_US.UTF-8");
    assert.match(await inGuest(uuid, "cat /etc/vconsole.conf"), /^KEYMAP=us$/m);
    write(`hostname: "later", running: true`);
    await upWell();
    assert.equal(await inGuest(uuid, "cat ~user/.ssh/authorized_keys; ls ~user/mine"), "/home/user/mine");
    assert.equal(await inGuest(uuid, "systemctl is-enabled sshd || true"), "disabled");
    await upWell("--expect-no-changes");
  });

  it("is destroyed by the stack that took it over", async () => {
    assert.equal((await stack.destroy()).status, 0);
    assert.equal(
      (await scene.domains()).some((domain) => domain.name === name),
      false,
    );
  });

  const stateOf = async () => (await stack.outputs())["state"];
});
