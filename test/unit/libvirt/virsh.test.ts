import assert from "node:assert/strict";
import { CommandError, hasCode, type ErrorCode } from "../../../provider/errors.js";
import { explain, virshEach } from "../../../provider/libvirt/virsh.js";
import { FakeHost } from "../host/fake-host.js";

const said = (stderr: string) => explain(new CommandError(["virsh"], 1, stderr), "qemu:///system");

describe("what virsh says", () => {
  const cases: [ErrorCode, string][] = [
    ["gone", "error: failed to get domain 'x'"],
    ["unreachable", "error: Disconnected from qemu:///system due to end of file\nerror: failed to get domain 'x'"],
    [
      "unreachable",
      "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory",
    ],
    ["unreachable", "error: failed to get domain 'x'\nerror: End of file while reading data: Input/output error"],
    [
      "permission",
      "error: failed to connect to the hypervisor\nerror: Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
    ],
    [
      "permission",
      "error: failed to connect to the hypervisor\nerror: authentication unavailable: no polkit agent available",
    ],
    ["command", "error: Requested operation is not valid: domain is already running"],
    ["command", "error: Unable to read from monitor: Connection reset by peer"],
    ["command", "error: cannot open file '/x': Permission denied"],
  ];
  for (const [code, stderr] of cases) {
    it(`is ${code}: ${stderr.split("\n").at(-1) ?? ""}`, () => {
      assert.ok(hasCode(said(stderr), code), String(said(stderr)));
    });
  }

  it("comes with what to do where the service or a right is missing", () => {
    for (const stderr of ["failed to connect to the hypervisor", "failed to connect: Permission denied"]) {
      assert.match(String(said(stderr)), /vms bootstrap/);
    }
  });
});

describe("many commands in one virsh", () => {
  let fake: FakeHost;
  afterEach(() => fake.remove());

  it("are answered one by one, those that failed with nothing, however many there are", async () => {
    fake = new FakeHost().script(
      "virsh",
      // Its last argument is the script: an answer of two lines, or a failure, for each name.
      `IFS=';' read -ra commands <<<"\${!#}"
for command in "\${commands[@]}"; do
  read -r verb what <<<"$command"
  case $verb-$what in
    echo-*) printf '%s\n' "$what" ;;
    *-gone) echo "error: failed to get domain 'gone'" >&2 ;;
    *) printf '<%s>\n</%s>\n' "$what" "$what" ;;
  esac
done`,
    );
    const names = ["one", "gone", ...Array.from({ length: 1000 }, (_, index) => `vm-${index}`)];
    const answers = await virshEach(
      "qemu:///system",
      names.map((name) => ["dumpxml", name]),
    );
    assert.deepEqual(
      answers,
      names.map((name) => (name === "gone" ? "" : `<${name}>\n</${name}>`)),
    );
    assert.equal(fake.calls().length, 2);
    assert.deepEqual(await virshEach("qemu:///system", []), []);
  });
});
