import assert from "node:assert/strict";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { detectAcceleration, kvmDeviceMode } from "../../../provider/host/acceleration.js";
import { FakeHost } from "./fake-host.js";

const withFlags = (flags: string): string =>
  `processor\t: 0\nmodel name\t: a vmx-less name\nflags\t\t: fpu ${flags} sse2\n`;

describe("the acceleration", () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = new FakeHost();
  });
  afterEach(() => {
    fake.remove();
  });

  for (const flag of ["vmx", "svm"]) {
    it(`is kvm where the processor has ${flag} and there is a /dev/kvm`, async () => {
      fake.write("proc/cpuinfo", withFlags(flag)).write("dev/kvm", "");
      assert.deepEqual(await detectAcceleration(fake.host), { acceleration: "kvm" });
    });
  }

  it("is tcg where there is a /dev/kvm that the processor cannot be behind, and says why", async () => {
    fake.write("proc/cpuinfo", withFlags("vmx_like")).write("dev/kvm", "");
    const { acceleration, reason } = await detectAcceleration(fake.host);
    assert.equal(acceleration, "tcg");
    assert.match(reason ?? "", /neither of the flags vmx and svm/);
  });

  it("is tcg where the processor could and there is no /dev/kvm, and says why", async () => {
    fake.write("proc/cpuinfo", withFlags("vmx"));
    const { acceleration, reason } = await detectAcceleration(fake.host);
    assert.equal(acceleration, "tcg");
    assert.match(reason ?? "", /no \/dev\/kvm/);
  });

  it("is what the user says, whatever is found", async () => {
    fake.write("proc/cpuinfo", withFlags(""));
    assert.equal((await detectAcceleration(fake.host, "kvm")).acceleration, "kvm");
  });
});

describe("the owner and mode of /dev/kvm", () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = new FakeHost().answer("getent", "kvm:x:4242:");
    fake.write("dev/kvm", "");
  });
  afterEach(() => {
    fake.remove();
  });

  it("are set to what udev would set where no udev runs", async () => {
    chmodSync(join(fake.root, "dev/kvm"), 0o600);
    const finding = await kvmDeviceMode.probe(fake.host);
    const device = join(fake.root, "dev/kvm");
    assert.deepEqual(
      finding?.commands.map(({ argv }) => argv),
      [
        ["chgrp", "kvm", device],
        ["chmod", "0660", device],
      ],
    );
  });

  it("are left to udev where it runs", async () => {
    chmodSync(join(fake.root, "dev/kvm"), 0o600);
    fake.write("run/udev/control", "");
    assert.equal(await kvmDeviceMode.probe(fake.host), undefined);
  });

  it("are right where everybody may use it", async () => {
    chmodSync(join(fake.root, "dev/kvm"), 0o666);
    assert.equal(await kvmDeviceMode.probe(fake.host), undefined);
  });

  it("do not matter where there is none", async () => {
    const other = new FakeHost().answer("getent", "kvm:x:4242:");
    assert.equal(await kvmDeviceMode.probe(other.host), undefined);
    other.remove();
  });
});
