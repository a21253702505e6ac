import assert from "node:assert/strict";
import { VmsError } from "../../../provider/errors.js";
import { packageName, packages } from "../../../provider/host/packages.js";
import { prepareHost } from "../../../provider/host/prepare.js";
import { silent } from "../../../provider/progress.js";
import { FakeHost } from "./fake-host.js";

const debian = 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n';

describe("the packages", () => {
  let fake: FakeHost;
  const start = (osRelease: string, extra: string[] = []): void => {
    fake = new FakeHost({ packages: extra }).write("etc/os-release", osRelease);
  };
  const installs = (): string[] => fake.calls().filter((call) => / (install|-S) /.test(call));
  const prepare = async () => prepareHost([packages], fake.host, silent, "sudo vms bootstrap");

  afterEach(() => {
    fake.remove();
  });

  it("are installed on Debian, only those that are missing, and a second run installs nothing", async () => {
    start(debian, ["htop"]);
    fake.install("apt-get").install("dpkg-query").answer("apt-cache", "", 100);
    fake.write("installed", "qemu-utils\nacl\n");
    const first = await prepare();
    assert.equal(first.changed.length, 1);
    const names = (installs()[0] ?? "").split(" -- ")[1]?.split(" ") ?? [];
    assert.ok(
      names.includes("libvirt-daemon-system") && names.includes("ovmf") && names.includes("htop"),
      names.join(),
    );
    assert.ok(!names.includes("acl") && !names.includes("qemu-utils"), names.join());
    assert.deepEqual((await prepare()).changed, []);
    assert.equal(installs().length, 1);
  });

  it("are looked up anew where apt has no lists, and not where its lists are fresh", async () => {
    start(debian);
    fake.install("apt-get").install("dpkg-query").answer("apt-cache", "", 100);
    assert.deepEqual(
      (await packages.probe(fake.host))?.commands.map(({ argv }) => argv.includes("update")),
      [true, false],
    );
    fake.write("var/lib/apt/lists/mirror_Packages.lz4", "");
    assert.deepEqual(
      (await packages.probe(fake.host))?.commands.map(({ argv }) => argv.includes("update")),
      [false],
    );
  });

  it("take qemu's SPICE module where the release has split it off", async () => {
    start(debian);
    fake.install("apt-get").install("dpkg-query").answer("apt-cache", "Package: qemu-system-modules-spice");
    await assert.rejects(prepare(), /still, qemu-system-modules-spice, virtiofsd are not installed/);
    assert.match(installs()[0] ?? "", /qemu-system-modules-spice/);
    fake.write("usr/lib/x86_64-linux-gnu/qemu/ui-spice-core.so", "").write("usr/libexec/virtiofsd", "");
    assert.equal(await packages.probe(fake.host), undefined);
  });

  it("that apt does not know end in an error that names them and says what to run", async () => {
    start(debian, ["no-such-package"]);
    fake.install("apt-get").install("dpkg-query").answer("apt-cache", "", 100);
    await assert.rejects(prepare(), (error: unknown) => {
      assert.ok(error instanceof VmsError);
      assert.match(
        error.message,
        /^Cannot prepare host ".*": the packages .*Unable to locate package no-such-package/s,
      );
      assert.match(error.hint ?? "", /apt-get update && sudo apt-get install/);
      return true;
    });
  });

  it("that apt says it installed and that are still not there are an error, not an endless loop", async () => {
    start(debian);
    fake.install("answer", "apt-get").answer("apt-get", "").install("dpkg-query").answer("apt-cache", "", 100);
    await assert.rejects(prepare(), /still, qemu-system-x86, .* are not installed/);
  });

  it("are installed on Arch and its kin, without refreshing the lists on their own", async () => {
    start("ID=manjaro\nID_LIKE=arch\n");
    fake.install("pacman").write("installed", "libvirt\n");
    await prepare();
    assert.deepEqual(installs(), [
      "pacman -S --needed --noconfirm -- qemu-desktop virt-install virt-viewer dnsmasq edk2-ovmf virtiofsd",
    ]);
    assert.deepEqual((await prepare()).changed, []);
  });

  it("are left to the user of another distribution, who is told what is needed before anything is changed", async () => {
    start('ID=fedora\nPRETTY_NAME="Fedora Linux 41"\n');
    fake.script("virsh", "").script("qemu-img", "");
    await assert.rejects(prepare(), (error: unknown) => {
      assert.ok(error instanceof VmsError);
      assert.equal(error.code, "requirement");
      assert.match(
        error.reason,
        /Fedora Linux 41 is not a distribution whose packages are known, and it lacks qemu-system-x86_64, dnsmasq/,
      );
      assert.doesNotMatch(error.reason, /lacks.*(virsh|qemu-img)/);
      assert.match(error.hint ?? "", /Install QEMU .* then run: vms bootstrap/);
      return true;
    });
  });

  it("of another distribution are there when what they hold is there", async () => {
    start("ID=fedora\n");
    const programs = [
      "qemu-system-x86_64",
      "qemu-img",
      "virsh",
      "dnsmasq",
      "setfacl",
      "getfacl",
      "bsdtar",
      "dbus-daemon",
      "virtqemud",
    ];
    for (const program of programs) fake.script(program, "");
    fake.write("usr/share/qemu/firmware/60-edk2-x86_64.json", "{}");
    assert.equal(await packages.probe(fake.host), undefined);
  });

  it("have names that neither apt nor pacman takes for an option, a version or a removal", () => {
    start(debian);
    for (const good of ["htop", "g++", "libstdc++-12-dev", "gtk4", "7zip"]) assert.match(good, packageName);
    for (const bad of ["-y", "htop-", "a b", "a;b", "htop=1", "htop/sid", "", "*", "$(id)"])
      assert.doesNotMatch(bad, packageName);
  });
});
