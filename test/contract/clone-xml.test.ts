import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CloneChanges, cloneXml } from "../../provider/libvirt/clone-xml.js";
import { readWritableDisks } from "../../provider/libvirt/disks.js";
import { setAcceleration } from "../../provider/libvirt/domain-edit.js";
import { domainXml, randomMac } from "../../provider/libvirt/domain-xml.js";
import { replaceShares } from "../../provider/libvirt/shares-edit.js";
import { changedLines } from "../support/changed-lines.js";
import { changes as usual, cloneable, domainFixture } from "../support/domain-fixture.js";
import { removeDomain, virsh } from "../support/store.js";

const ownUuid = "290656ec-b690-457c-bb84-37d5d6727b4f";

describe("a clone's XML (real libvirtd)", () => {
  let directory: string;
  const defined: string[] = [];
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "vms-clone-xml-"));
  });
  after(() => {
    for (const uuid of defined) removeDomain(uuid);
    rmSync(directory, { recursive: true, force: true });
  });

  /** Defines it and returns what libvirt made of it. */
  function define(xml: string, uuid: string): string {
    const file = join(directory, `${uuid}.xml`);
    writeFileSync(file, xml);
    virsh("define", "--validate", file);
    if (!defined.includes(uuid)) defined.push(uuid);
    return virsh("dumpxml", "--inactive", "--security-info", uuid);
  }

  for (const fixture of [...cloneable, "ours"] as const) {
    it(`of ${fixture}.xml is taken by libvirt, which sees only the named differences to its source`, () => {
      const source = `vms-test-work-${process.pid}-${fixture}`;
      const uuid = randomUUID();
      const xml = setAcceleration(fixture === "ours" ? oursXml() : known(fixture), "tcg")
        .replaceAll(ownUuid, uuid)
        .replace("<name>work</name>", `<name>${source}</name>`);
      // libvirt sorts devices that it added itself when it sees them for a second time.
      const before = define(define(xml, uuid), uuid);
      const changes: CloneChanges = {
        ...usual,
        name: `vms-test-copy-${process.pid}-${fixture}`,
        uuid: randomUUID(),
        disks: new Map(readWritableDisks(before).map(({ file }, index) => [file, join(directory, `${index}.qcow2`)])),
      };
      const after = define(cloneXml(before, changes), changes.uuid);
      const { gone, come } = changedLines(before, after);
      const named =
        /^ *<(name>|uuid>|genid>|\/?vms:|entry( name='(serial|uuid)')?>|nvram|mac address=|log file=|graphics |cid auto=|source (file|path|mode='bind' path)=)/;
      const wrapped = /^ *<\/?(metadata|sysinfo type='smbios'|sysinfo|oemStrings|smbios mode='sysinfo'\/)>$/;
      const others = (lines: string[]) => lines.filter((line) => !named.test(line));
      const added = fixture === "terse" ? others(come).filter((line) => !wrapped.test(line)) : others(come);
      assert.deepEqual(added, []);
      const chain = /backingStore|<format type='qcow2'\/>|<target dev='work-lan'\/>/;
      assert.deepEqual(
        others(gone).filter((line) => !chain.test(line)),
        [],
      );
      for (const line of come) assert.equal(line.includes(source) || line.includes(uuid), false, line);
      for (const kept of [
        "qemu:arg",
        "somebody else",
        "<![CDATA[<work> & ]]>",
        "ssh.authorized_keys.root",
        "passwd='",
      ]) {
        assert.equal(after.includes(kept), before.includes(kept), kept);
      }
      assert.ok(come.length >= 5, "there are differences at all");
    });
  }
});

/** Without what this host's libvirt says that it cannot have, whatever the definition. */
function known(fixture: string): string {
  const xml = domainFixture(fixture);
  const tpm = /<tpm supported='yes'>[^]*?<value>emulator<\/value>/.test(virsh("domcapabilities", "--virttype", "qemu"));
  return tpm ? xml : xml.replace(/\n *<tpm [^]*?<\/tpm>/, "");
}

function oursXml(): string {
  const xml = domainXml({
    name: "work",
    uuid: ownUuid,
    mark: usual.mark,
    memory: 512,
    cpus: 1,
    acceleration: "tcg",
    mac: randomMac(),
    network: undefined,
    disk: "/var/lib/vms-test/ours.qcow2",
    nvram: "/var/lib/vms-test/ours.fd",
    consoleLog: "/var/lib/vms-test/ours.log",
    display: true,
    credentials: { "vms.instance": ownUuid },
  });
  return replaceShares(xml, [{ source: "/srv", target: "/mnt/srv", readOnly: false }]);
}
