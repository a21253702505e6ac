import assert from "node:assert/strict";
import { killDomain, startDomain } from "../../../provider/libvirt/power.js";
import { FakeHost } from "../host/fake-host.js";

const connection = "qemu:///system";

describe("powering a domain on and off", () => {
  let host: FakeHost;
  beforeEach(() => (host = new FakeHost()));
  afterEach(() => host.remove());

  /** A virsh that fails at this verb with that, the first time or always, and else succeeds; a domain is off from the second look on. */
  const failing = (verb: string, said: string, always = false): FakeHost =>
    host.script(
      "virsh",
      `case "$*" in
*domstate*) if [[ -e $FAKE_HOST/looked-twice ]]; then echo 'shut off (destroyed)'; else echo 'running (booted)'; fi
  if [[ -e $FAKE_HOST/failed ]]; then : >"$FAKE_HOST/looked-twice"; fi ;;
*\\ ${verb}\\ *) if [[ ! -e $FAKE_HOST/failed || ${always ? "yes" : "no"} == yes ]]; then
    : >"$FAKE_HOST/failed"; echo ${JSON.stringify(`error: ${said}`)} >&2; exit 1
  fi ;;
esac`,
    );
  const calls = (verb: string): string[] => host.calls().filter((call) => call.includes(` ${verb} `));

  it("starts it again where the log of its last run is not free yet", async () => {
    failing("start", "Cannot open log file: '/x/console.log': Device or resource busy");
    await startDomain(connection, "web", { paused: true });
    assert.deepEqual(calls("start"), Array(2).fill(`virsh --quiet --connect ${connection} start web --paused`));
  });

  it("does not start it again where libvirt refuses it", async () => {
    failing("start", "Cannot access storage file '/x.qcow2': No such file or directory");
    await assert.rejects(startDomain(connection, "web"), /No such file/);
    assert.equal(calls("start").length, 1);
  });

  it("waits for a qemu that libvirt has killed and given up, and for no other", async () => {
    failing("destroy", "Failed to terminate process 42 with SIGKILL: Device or resource busy", true);
    assert.equal(await killDomain(connection, "web"), true);
    assert.equal(calls("destroy").length, 1);
    host.remove();
    host = new FakeHost();
    failing("destroy", "operation forbidden for this user", true);
    await assert.rejects(killDomain(connection, "web"), /forbidden/);
  });
});
