import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attempt, type RunResult } from "../../provider/host/command.js";
import { findDomain } from "../../provider/libvirt/domain.js";
import { definedCredentials } from "../../provider/libvirt/credentials.js";
import { isoPath, makeSmallStore } from "../support/small-vm.js";
import { connection, type TestStore, virsh, environmentOf } from "../support/store.js";
import { type Vms, vmsOn, vmsProgram } from "../support/vms-command.js";

const key = (comment: string): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP${"A".repeat(42)} ${comment}`;
let counter = 0;

describe("the flags of create and clone (real libvirtd, no guest)", () => {
  let store: TestStore;
  let vms: Vms;
  let name: string;
  let usual: string[];
  let keys: string;

  before(async () => {
    store = await makeSmallStore();
    vms = vmsOn(store.settings);
    const sized = ["--memory", "512", "--cpus", "1", "--disk", "8G"];
    usual = ["--profile", "minimal", "--iso", isoPath(store.settings), "--network", "user", ...sized, "--no-start"];
    keys = join(store.settings.images, "keys.pub");
    writeFileSync(keys, `# of two\n${key("one@home")}\n\n${key("two@home")}\n`);
  });
  beforeEach(() => {
    name = `vms-test-flags-${process.pid}-${counter++}`;
  });
  after(() => store.remove());

  it("reach the VM: identity, keys, shares and autostart; and a clone has its own", async () => {
    const shared = join(store.settings.images, "shared");
    mkdirSync(shared, { recursive: true });
    const identity = ["--user", "me", "--hostname", "desk", "--timezone", "Europe/Berlin", "--locale", "de_DE.UTF-8"];
    const more = ["--keymap", "de-latin1", "--ssh-key", keys, "--share", `${shared}:/home/me/src:ro`, "--autostart"];
    const made = await vms("create", name, ...usual, ...identity, ...more);
    assert.equal(made.status, 0, made.stderr);
    assert.match(made.stdout, new RegExp(`^${name} is shut off\\nStart: vms start ${name} `));
    const { uuid } = (await findDomain(connection, name)) ?? assert.fail();
    const credentials = await definedCredentials(connection, uuid);
    const all = JSON.stringify(credentials);
    for (const text of ["desk", "Europe/Berlin", "de_DE.UTF-8", "de-latin1", "one@home", "two@home"])
      assert.ok(all.includes(text), text);
    assert.equal(credentials["vms.user"], "me");
    assert.match(virsh("dominfo", uuid), /^Autostart:\s+enable/m);
    assert.match(virsh("dumpxml", uuid), new RegExp(`<source dir='${shared}'/>[^]*<readonly/>`));
    const single = join(store.settings.images, "single.pub");
    writeFileSync(single, key("three@home"));
    const cloned = await vms("clone", name, `${name}-a`, "--no-start", "--ssh-key", single);
    assert.equal(cloned.status, 0, cloned.stderr);
    const clone = (await findDomain(connection, `${name}-a`)) ?? assert.fail();
    const of = JSON.stringify(await definedCredentials(connection, clone.uuid));
    assert.ok(of.includes("three@home") && !of.includes("one@home"), of);
    assert.match(virsh("dominfo", clone.uuid), /^Autostart:\s+disable/m);
  });

  for (const [flags, complaint] of [
    [["--ssh-key", "/nowhere.pub"], /--ssh-key \/nowhere\.pub: ENOENT/],
    [["--share", "/srv"], /--share \/srv: it is not SOURCE:TARGET/],
    [["--share", "/srv:/etc"], /shares: .*\/etc would hide what the guest needs/],
    [["--package", "a b", "--timezone", "Europe/Nowhere"], /packages: .*[^]*timezone: /],
    [["--acceleration", "warp"], /acceleration: /],
    [["--password-stdin"], /password: is empty/],
  ] as const) {
    it(`are an error of usage that names it, before anything changed: ${flags.join(" ")}`, async () => {
      const { status, stderr } = await vms("create", name, ...usual, ...flags);
      assert.equal(status, 2, stderr);
      assert.ok(stderr.startsWith(`Cannot create VM "${name}": `), stderr);
      assert.match(stderr, complaint);
      assert.equal(await findDomain(connection, name), undefined);
    });
  }

  it("refuse a private key, and say which file is meant", async () => {
    const path = join(store.settings.images, "id");
    writeFileSync(path, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    const { status, stderr } = await vms("clone", "any", name, "--ssh-key", path);
    assert.equal(status, 2);
    assert.ok(
      stderr.includes(`it is a private key, which no guest must see\n  Give the public one: --ssh-key ${path}.pub`),
    );
  });

  it("refuse a file without a key, for a clone would lose those of its source, and one with what is no key", async () => {
    const path = join(store.settings.images, "none.pub");
    for (const [text, complaint] of [
      ["# nothing\n\n", "it holds no key"],
      [`${key("one@home")}\nssh-dss AAAA\n`, '"ssh-dss AAAA" is not an OpenSSH public key'],
    ] as const) {
      writeFileSync(path, text);
      const { status, stderr } = await vms("clone", "any", name, "--ssh-key", path);
      assert.equal(status, 2);
      assert.ok(stderr.startsWith(`Cannot clone VM "${name}": --ssh-key ${path}: ${complaint}`), stderr);
    }
  });

  it("take a password by standard input only, and one that cannot be is told without being shown", async () => {
    const long = "secret".repeat(20);
    const options = { env: environmentOf(store.settings), input: `${long}\nrest` };
    const argv = [process.execPath, vmsProgram, "create", name, ...usual, "--password-stdin"] as const;
    const { status, stderr }: RunResult = await attempt([...argv], options);
    assert.equal(status, 2);
    assert.match(stderr, /password: is longer than 72 bytes/);
    assert.doesNotMatch(stderr, /secret/);
  });

  it("create: refuses a name that is taken, by a VM of ours and by a domain that is not", async () => {
    assert.equal((await vms("create", name, ...usual)).status, 0);
    const taken = await vms("create", name, ...usual);
    assert.equal(taken.status, 1);
    assert.match(taken.stderr, /there is a VM of that name already; it belongs to the command line\n {2}.*vms list/);
    const { uuid } = (await findDomain(connection, name)) ?? assert.fail();
    virsh("metadata", uuid, "--uri", "urn:pulumi-vms:vm:1", "--remove", "--config");
    const foreign = await vms("create", name, ...usual);
    assert.equal(foreign.status, 1);
    assert.match(foreign.stderr, /there is a domain of that name that is not ours/);
    virsh("undefine", uuid, "--nvram");
  });
});
