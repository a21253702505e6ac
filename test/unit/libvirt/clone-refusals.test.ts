import assert from "node:assert/strict";
import { whatCannotBeCloned } from "../../../provider/libvirt/clone-refusals.js";
import { ownPath } from "../../../provider/libvirt/clone-endpoints.js";
import { cloneable, domainFixture } from "../../support/domain-fixture.js";

describe("what cannot be cloned", () => {
  for (const name of cloneable) {
    it(`is nothing of ${name}.xml: an emulated TPM, read-only media and sockets are fine`, () => {
      assert.deepEqual(whatCannotBeCloned(domainFixture(name)), []);
    });
  }

  it("is each device that two domains cannot have, named, and no other", () => {
    assert.deepEqual(whatCannotBeCloned(domainFixture("refused")), [
      "its firmware /var/lib/own-firmware.fd is writable",
      "its UEFI variables are on a network device, not in a file",
      "its disk vda (/srv/raw.img) is raw, not qcow2",
      "its disk vdb (/srv/format-not-said.img) is raw, not qcow2",
      "its disk vdc is a block device (/dev/vg/lv), not a file",
      "its disk vdd is a network device (pool/image), not a file",
      "its disk vde is a volume device (a.qcow2), not a file",
      "its disk vdf (/srv/transient.qcow2) is transient: what is written to it is thrown away",
      "its disk vdg (/srv/shared.qcow2) is shared with other domains",
      "its disk vdh (/srv/secret.qcow2) is encrypted",
      "its disk fda (/srv/floppy.img) is raw, not qcow2",
      "its network interface 52:54:00:00:00:01 is a device of the host that is passed through",
      "its network interface 52:54:00:00:00:02 is of the type vhostuser, which one domain can use",
      "its network interface 52:54:00:00:00:03 uses the host's device tap-work, which one domain can use",
      "its network interface 52:54:00:00:00:04 forwards ports of the host, which one domain can use",
      "a virtiofsd that libvirt did not start serves it at /run/virtiofsd.sock",
      "the host's device /dev/ttyS0 is passed through to its serial",
      "its serial is the pipe /run/pipe, which one domain can use",
      "its serial listens on the tcp port 4555, which one domain can do",
      "an input device of the host is passed through to it (/dev/input/event3)",
      "the host's TPM is passed through to it",
      "a pci device of the host is passed through to it",
      "it keeps memory in a file (/srv/nvdimm)",
      "it holds a lease, which one domain can hold",
    ]);
  });
});

describe("a clone's own path for a file of its source", () => {
  it("stays in the directory and bears the clone's name instead of the source's, or beside the rest", () => {
    assert.equal(ownPath("/run/work/work.sock", "work", "copy"), "/run/work/copy.sock");
    assert.equal(ownPath("/run/a-work-b", "work", "copy"), "/run/a-copy-b");
    assert.equal(ownPath("/run/workshop.sock", "work", "copy"), "/run/workshop-copy.sock");
    assert.equal(ownPath("/run/line", "work", "copy"), "/run/line-copy");
  });
});
