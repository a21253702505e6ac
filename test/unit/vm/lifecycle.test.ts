import assert from "node:assert/strict";
import { askToPowerOff } from "../../../provider/vm/lifecycle.js";
import type { Context } from "../../../provider/context.js";
import { FakeHost } from "../host/fake-host.js";
import { recordProgress } from "../../support/recorded.js";

describe("asking a guest to power off", () => {
  let host: FakeHost;
  beforeEach(() => (host = new FakeHost()));
  afterEach(() => host.remove());

  /** A guest whose agent answers from its n-th ping on, and that is off when it has been asked so many times. */
  function guest(agentFrom: number, offBehind: number): void {
    host.script(
      "virsh",
      `count() { echo >>"$FAKE_HOST/$1"; mapfile lines <"$FAKE_HOST/$1"; times=\${#lines[@]}; }
case "$*" in
*guest-ping*) count pings
  if ((times < ${agentFrom})); then echo "error: QEMU guest agent is not connected" >&2; exit 1; fi
  echo '{"return":{}}' ;;
*shutdown*) count asked
  if ((times >= ${offBehind})); then : >"$FAKE_HOST/off"; fi
  # Its agent was ended with the rest of the guest before it could answer.
  if [[ $* == *agent* ]]; then echo "error: child process has terminated abnormally" >&2; exit 1; fi ;;
*domstate*) if [[ -e $FAKE_HOST/off ]]; then echo 'shut off (shutdown)'; else echo 'running (booted)'; fi ;;
esac`,
    );
  }
  async function ask(seconds: number): Promise<{ off: boolean; by: string; modes: string[]; reached: string[] }> {
    const reached: string[] = [];
    const context: Context = {
      settings: host.host.settings,
      progress: recordProgress(),
      reached: (step) => void reached.push(step),
    };
    const outcome = await askToPowerOff("qemu:///system", "web", seconds, context);
    const modes = host.calls().flatMap((call) => / --mode (\S+)/.exec(call)?.[1] ?? []);
    return { ...outcome, modes, reached };
  }

  it("is done once by its agent where that answers, whatever it says", async () => {
    guest(1, 1);
    assert.deepEqual(await ask(60), { off: true, by: "its guest agent", modes: ["agent"], reached: ["stop: asked"] });
  });

  it("is done by the power button until the agent is there, and then by that", async () => {
    guest(2, 2);
    const { off, by, modes, reached } = await ask(60);
    assert.deepEqual(modes, ["acpi", "agent"]);
    assert.deepEqual(
      { off, by, reached },
      { off: true, by: "ACPI, then by its guest agent", reached: ["stop: asked"] },
    );
  });

  it("is done by the power button as well where the agent's word does not help, and ends with its time", async () => {
    guest(1, 9);
    const { off, by, modes } = await ask(8);
    assert.deepEqual(modes.slice(0, 2), ["agent", "acpi"]);
    assert.equal(modes.filter((mode) => mode === "agent").length, 1);
    assert.deepEqual({ off, by }, { off: false, by: "its guest agent, then by ACPI" });
  });
});
