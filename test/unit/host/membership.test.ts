import assert from "node:assert/strict";
import { resolveUser } from "../../../provider/host/accounts.js";
import { group, isMember, membership, needsNewLogin } from "../../../provider/host/membership.js";
import { FakeHost } from "./fake-host.js";

describe("the user's place in the libvirt group", () => {
  let fake: FakeHost;
  const start = (user: string | undefined, members: string): void => {
    fake = new FakeHost({ user }).answer("getent", "", 2);
    fake
      .answer("getent group libvirt", `libvirt:x:106:${members}`)
      .answer("getent passwd anna", "anna:x:1000:100::/home/anna:/bin/sh");
    fake.answer("getent passwd bert", "bert:x:1001:106::/home/bert:/bin/sh");
  };
  afterEach(() => {
    fake.remove();
  });

  it("is made where the user is not in it", async () => {
    start("anna", "carl,annabel");
    const finding = await membership.probe(fake.host);
    assert.deepEqual(finding?.commands, [{ argv: ["usermod", "--append", "--groups", "libvirt", "anna"] }]);
  });

  it("is there where the user is a member", async () => {
    start("anna", "carl,anna");
    assert.equal(await membership.probe(fake.host), undefined);
    assert.deepEqual([await isMember("anna"), await isMember("bert"), await isMember("carl")], [true, true, false]);
  });

  it("is there where it is the user's primary group", async () => {
    start("bert", "");
    assert.equal(await membership.probe(fake.host), undefined);
  });

  it("is nobody's where root alone manages VMs", async () => {
    start(undefined, "");
    assert.equal(await membership.probe(fake.host), undefined);
  });

  it("cannot be made for a user that does not exist, which is named", async () => {
    start("nobody-here", "");
    const finding = await membership.probe(fake.host);
    assert.match(finding?.reason ?? "", /no user "nobody-here"/);
    assert.deepEqual(finding?.commands, []);
  });

  it("needs the group, which is made where libvirt's package did not", async () => {
    start(undefined, "");
    assert.equal(await group.probe(fake.host), undefined);
    fake.answer("getent group libvirt", "", 2);
    assert.deepEqual((await group.probe(fake.host))?.commands, [{ argv: ["groupadd", "--system", "libvirt"] }]);
  });

  it("counts for a process only once it logged in with it", async () => {
    start("anna", "anna");
    assert.equal(await needsNewLogin(1000, [100]), true);
    assert.equal(await needsNewLogin(1000, [100, 106]), false);
    assert.equal(await needsNewLogin(0, []), false);
  });
});

describe("who manages VMs", () => {
  it("is who was named", () => {
    assert.equal(resolveUser("anna", { SUDO_USER: "bert" }), "anna");
  });

  it("is nobody besides root where root is named", () => {
    assert.equal(resolveUser("root", {}), undefined);
  });

  it("is who called sudo, where root runs this", function () {
    if (process.getuid?.() !== 0) this.skip();
    assert.equal(resolveUser(undefined, { SUDO_USER: "bert" }), "bert");
    assert.equal(resolveUser(undefined, {}), undefined);
    assert.equal(resolveUser(undefined, { SUDO_USER: "root" }), undefined);
  });
});
