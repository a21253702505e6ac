import assert from "node:assert/strict";
import { CommandError, hasCode, type ErrorCode } from "../../../provider/errors.js";
import { explain } from "../../../provider/libvirt/virsh.js";

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
