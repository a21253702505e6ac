import assert from "node:assert/strict";
import { hasCode } from "../../../provider/errors.js";
import { firewall, forwarding } from "../../../provider/host/forwarding.js";
import { FakeHost } from "./fake-host.js";

describe("what keeps guests from the world", () => {
  let fake: FakeHost;
  afterEach(() => fake.remove());

  const rules = (...lines: string[]): FakeHost => new FakeHost().answer("iptables -w 5 -S FORWARD", lines.join("\n"));

  for (const [value, state] of [
    ["1", "good"],
    ["0", "bad"],
  ] as const) {
    it(`is forwarding where it is ${value === "1" ? "not " : ""}off: ${state}`, async () => {
      fake = new FakeHost().write("proc/sys/net/ipv4/ip_forward", `${value}\n`);
      const finding = await forwarding.probe(fake.host);
      assert.deepEqual(
        finding?.commands[0]?.argv,
        state === "good" ? undefined : ["sysctl", "-w", "net.ipv4.ip_forward=1"],
      );
    });
  }

  it("is no firewall that accepts what is forwarded", async () => {
    fake = rules("-P FORWARD ACCEPT", "-A FORWARD -j DOCKER-USER");
    assert.equal(await firewall.probe(fake.host), undefined);
  });

  it("is no firewall in which libvirt has rules of its own, or somebody has let its bridge through", async () => {
    for (const rule of ["-A FORWARD -j LIBVIRT_FWO", "-A FORWARD -i virbr0 -j ACCEPT"]) {
      fake = rules("-P FORWARD DROP", rule);
      assert.equal(await firewall.probe(fake.host), undefined);
      if (rule.includes("LIBVIRT")) fake.remove();
    }
  });

  it("is a firewall of docker's that drops what it does not know, with the rules that mend it", async () => {
    fake = rules("-P FORWARD DROP", "-A FORWARD -j DOCKER-USER", "-A FORWARD -o docker0 -j DOCKER");
    const finding = await firewall.probe(fake.host);
    assert.match(finding?.reason ?? "", /nothing lets libvirt's guests through/);
    assert.deepEqual(finding?.commands[0]?.argv.join(" "), "iptables -I FORWARD -i virbr0 -j ACCEPT");
  });

  it("cannot be told by who is not root, and is none where there is no iptables", async () => {
    fake = new FakeHost({ uid: 1000 });
    assert.equal(await firewall.probe(fake.host), undefined);
    fake.answer("iptables", "");
    await assert.rejects(firewall.probe(fake.host), (error) => hasCode(error, "permission"));
  });
});
