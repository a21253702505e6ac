import assert from "node:assert/strict";
import { defaultNetwork, readNetwork } from "../../../provider/libvirt/network.js";
import { FakeHost } from "../host/fake-host.js";

const info = (active: string, autostart: string): string =>
  `Name:           default\nUUID:           a3dc\nActive:         ${active}\nPersistent:     yes\nAutostart:      ${autostart}\nBridge:         virbr0`;

describe("the default network", () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = new FakeHost();
  });
  afterEach(() => {
    fake.remove();
  });
  const commands = async (): Promise<string[] | undefined> =>
    (await defaultNetwork.probe(fake.host))?.commands.map(({ argv }) => argv.slice(4).join(" "));

  it("is left alone where it runs and starts with the host", async () => {
    fake.answer("virsh", info("yes", "yes"));
    assert.equal(await commands(), undefined);
  });

  it("is started, and set to start with the host, only where it is not", async () => {
    fake.answer("virsh", info("no", "yes"));
    assert.deepEqual(await commands(), ["net-start default"]);
    fake.answer("virsh", info("yes", "no"));
    assert.deepEqual(await commands(), ["net-autostart default"]);
  });

  it("is defined where there is none", async () => {
    fake.script("virsh", "echo \"error: Network not found: no network with matching name 'default'\" >&2; exit 1");
    const [define, ...rest] = (await commands()) ?? [];
    assert.match(define ?? "", /^net-define --file \/.*default-network\.xml$/);
    assert.deepEqual(rest, ["net-autostart default", "net-start default"]);
  });

  it("is missing, and not an error, where libvirt does not answer or is not there", async () => {
    fake.script("virsh", "echo 'error: failed to connect to the hypervisor' >&2; exit 1");
    assert.equal((await commands())?.length, 2);
    const bare = new FakeHost();
    assert.match((await defaultNetwork.probe(bare.host))?.reason ?? "", /cannot be asked/);
    bare.remove();
  });

  it("is not what VMs depend on, and its hint says how to do without", async () => {
    fake.answer("virsh", info("no", "no"));
    assert.equal(defaultNetwork.fatal, false);
    assert.match((await defaultNetwork.probe(fake.host))?.hint ?? "", /network: "user" need none/);
  });

  it("is told apart from a network that does not exist", async () => {
    fake.script("virsh", "echo \"error: Network not found: no network with matching name 'x'\" >&2; exit 1");
    assert.equal(await readNetwork("qemu:///system", "x"), undefined);
  });
});
