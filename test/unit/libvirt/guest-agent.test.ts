import assert from "node:assert/strict";
import { awaitAgent, findAddress, runInGuest, usableAddress } from "../../../provider/libvirt/guest-agent.js";
import { FakeHost } from "../host/fake-host.js";

/** A virsh whose guest agent says these, one after the other, to each command of its protocol. */
function agentThat(host: FakeHost, sayings: Readonly<Record<string, readonly string[]>>): FakeHost {
  const cases = Object.entries(sayings).map(
    ([command, says]) =>
      `*'"execute":"${command}"'*) says=(${says.map((text) => `'${text}'`).join(" ")}) name=${command} ;;`,
  );
  return host.script(
    "virsh",
    `case "$*" in ${cases.join(" ")} *) exit 7 ;; esac
echo >>"$FAKE_HOST/$name"
mapfile asked <"$FAKE_HOST/$name"
said=\${says[\${#asked[@]} - 1]}
if [[ $said == error:* ]]; then echo "$said" >&2; exit 1; fi
echo "$said"`,
  );
}

describe("the guest agent", () => {
  const late = "error: Guest agent is not responding: Guest agent not available for now";
  const there = '{"return":{}}';
  let host: FakeHost;
  beforeEach(() => (host = new FakeHost()));
  afterEach(() => host.remove());
  const commands = (): string[] => host.calls().map((call) => /"execute":"([^"]+)"/.exec(call)?.[1] ?? call);

  it("is asked again where it is late, and not where it is not connected", async () => {
    agentThat(host, { "guest-ping": [late, late, there] });
    assert.equal(await awaitAgent("qemu:///system", "web"), true);
    assert.equal(host.calls().length, 3);
    host.remove();
    host = agentThat(new FakeHost(), {
      "guest-ping": ["error: Guest agent is not responding: QEMU guest agent is not connected", there],
    });
    assert.equal(await awaitAgent("qemu:///system", "web"), false);
    assert.equal(host.calls().length, 1);
  });

  it("begins a program once, when it answers, and is waited for as long as the program has", async () => {
    agentThat(host, {
      "guest-ping": [late, there],
      "guest-exec": ['{"return":{"pid":7}}'],
      "guest-exec-status": [
        '{"return":{"exited":false}}',
        late,
        '{"return":{"exited":true,"exitcode":3,"out-data":"b25l"}}',
      ],
    });
    assert.deepEqual(await runInGuest("qemu:///system", "web", "/bin/true", [], 100), { status: 3, output: "one" });
    assert.deepEqual(commands(), [
      ...["guest-ping", "guest-ping", "guest-exec"],
      ...["guest-exec-status", "guest-exec-status", "guest-exec-status"],
    ]);
    const patience = host.calls().flatMap((call) => /-status.* --timeout (\d+)/.exec(call)?.[1] ?? []);
    assert.equal(patience.length, 3);
    for (const seconds of patience) assert.ok(Number(seconds) > 80, seconds);
  });
});

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
