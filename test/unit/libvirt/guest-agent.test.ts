import assert from "node:assert/strict";
import { findAddress, usableAddress } from "../../../provider/libvirt/guest-agent.js";
import { FakeHost } from "../host/fake-host.js";

describe("the address of a guest", () => {
  it("is the first that others can use, IPv4 before IPv6", () => {
    const table = [
      " lo         00:00:00:00:00:00    ipv4         127.0.0.1/8",
      " -          -                    ipv6         ::1/128",
      " eth0       52:54:00:aa:bb:cc    ipv6         fe80::5054:ff:feaa:bbcc/64",
      " eth0       52:54:00:aa:bb:cc    ipv6         fec0::5054:ff:feaa:bbcc/64",
      " -          -                    ipv4         10.0.2.15/24",
    ].join("\n");
    assert.equal(usableAddress(table), "10.0.2.15");
  });

  it("is unknown while interfaces have none", () => {
    assert.equal(usableAddress(" eth0       52:54:00:aa:bb:cc    N/A          N/A"), undefined);
    assert.equal(usableAddress(" eth0 52:54:00:aa:bb:cc ipv4 169.254.1.1/16"), undefined);
    assert.equal(usableAddress(""), undefined);
  });

  it("is asked of the leases, then of the agent, then of the ARP table, and what each said is kept", async () => {
    const host = new FakeHost();
    const call = (source: string): string => `virsh --quiet --connect qemu:///system domifaddr web --source ${source}`;
    const row = " eth0  52:54:00:aa:bb:cc  ipv4  192.168.122.9/24";
    try {
      host
        .answer(call("lease"), "")
        .answer(call("agent"), "error: the agent is not connected", 1)
        .answer(call("arp"), row);
      assert.deepEqual(await findAddress("qemu:///system", "web"), {
        found: { address: "192.168.122.9", source: "arp" },
        inVain: [
          { source: "lease", said: "" },
          { source: "agent", said: "the agent is not connected" },
        ],
      });
      host.answer(call("lease"), row);
      const { found, inVain } = await findAddress("qemu:///system", "web");
      assert.deepEqual(found, { address: "192.168.122.9", source: "lease" });
      assert.deepEqual(inVain, []);
    } finally {
      host.remove();
    }
  });
});
