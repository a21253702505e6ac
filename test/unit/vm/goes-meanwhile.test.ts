/** VMs that go, or change, between two questions about them: virsh is played. */
import assert from "node:assert/strict";
import { setMark } from "../../../provider/libvirt/domain.js";
import { type Mark, markXml } from "../../../provider/libvirt/mark.js";
import { describeVm } from "../../../provider/vm/describe.js";
import { listVms } from "../../../provider/vm/list.js";
import { FakeHost } from "../host/fake-host.js";

const [stays = "", goes = ""] = ["1", "2"].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
const connection = "qemu:///system";
const mark: Mark = {
  owner: { id: "cli", label: "the command line" },
  phase: "ready",
  profile: "minimal",
  image: "",
  files: [],
};

const domainXml = (name: string, uuid: string): string =>
  `<domain type="qemu"><name>${name}</name><uuid>${uuid}</uuid><memory>131072</memory><vcpu>1</vcpu><metadata>${markXml(mark, uuid)}</metadata></domain>`;

describe("a VM between two questions about it", () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = new FakeHost();
    for (const [name, uuid] of [
      ["stays", stays],
      ["goes", goes],
    ] as const)
      fake.write(`${uuid}.xml`, domainXml(name, uuid));
  });
  afterEach(() => fake.remove());
  const gone = 'echo "error: failed to get domain" >&2; exit 1';

  it("may be removed while addresses are asked for: the list has the others", async () => {
    const one = (uuid: string) =>
      `echo "$(<$FAKE_HOST/${uuid}.xml)"; echo =pulumi-vms=; echo running; echo =pulumi-vms=; echo =pulumi-vms=`;
    fake.script(
      "virsh",
      `case "\${*:4}" in
        "list --all --uuid") printf '%s\\n' ${stays} ${goes} ;;
        "list --all --uuid --name") echo "${stays} stays" ;;
        *";"*) echo =pulumi-vms=; ${one(stays)}; ${one(goes)} ;;
        "domifaddr ${stays}"*) ;;
        *) ${gone} ;;
      esac`,
    );
    assert.deepEqual(
      (await listVms(connection, { whole: false })).map(({ name }) => name),
      ["stays"],
    );
  });

  it("may be removed and made again while it is described: it is described as it is then", async () => {
    fake.script(
      "virsh",
      `case "\${*:4}" in
        dumpxml*) echo "$(<$FAKE_HOST/${goes}.xml)" ;;
        domstate*) [[ -e $FAKE_HOST/again ]] && echo "shut off" && exit; : >"$FAKE_HOST/again"; ${gone} ;;
        dominfo*) echo "Autostart: disable" ;;
        *) echo "unexpected: $*" >&2; exit 1 ;;
      esac`,
    );
    assert.equal((await describeVm(connection, goes))?.state, "shut off");
  });

  it("may power off while its mark is set: it is set where it counts", async () => {
    playMark("shut off", "domain is not running");
    await setMark(connection, goes, mark);
    assert.ok(fake.calls().at(-1)?.endsWith(" --config"), fake.calls().at(-1));
  });

  it("may be busy while its mark is set: that fails, for what is in no definition nobody reads", async () => {
    playMark("running", "Timed out during operation: cannot acquire state change lock");
    await assert.rejects(setMark(connection, goes, mark), /cannot acquire state change lock/);
  });

  function playMark(then: string, refusal: string): void {
    fake.script(
      "virsh",
      `case "\${*:4}" in
        domstate*) [[ -e $FAKE_HOST/again ]] && echo "${then}" && exit; : >"$FAKE_HOST/again"; echo running ;;
        *"--config --live") echo "error: ${refusal}" >&2; exit 1 ;;
      esac`,
    );
  }
});
