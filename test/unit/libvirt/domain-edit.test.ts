import assert from "node:assert/strict";
import {
  replaceCredentials,
  replaceDiskFiles,
  replaceMark,
  setAcceleration,
  setConsoleLog,
  setCpus,
  setMemory,
  setNetwork,
} from "../../../provider/libvirt/domain-edit.js";
import { readDomain } from "../../../provider/libvirt/domain.js";
import { replaceShares, shareTag } from "../../../provider/libvirt/shares-edit.js";
import { changedLines } from "../../support/changed-lines.js";
import { changes, domainFixture } from "../../support/domain-fixture.js";

const xml = domainFixture("edited");
const bare = "<domain type='kvm'>\n  <os>\n    <type>hvm</type>\n  </os>\n  <devices>\n  </devices>\n</domain>\n";

describe("an edit of a domain's XML", () => {
  it("replaces our credentials and keeps the strings of others, in their order", () => {
    const { gone, come } = changedLines(xml, replaceCredentials(xml, { "vms.a": "1" }));
    assert.deepEqual(come, ["      <entry>io.systemd.credential.binary:vms.a=MQ==</entry>"]);
    assert.equal(gone.length, 2);
    assert.ok(gone.every((line) => line.includes(":vms.")));
  });

  it("hands credentials to a guest that had none, by SMBIOS", () => {
    assert.deepEqual(changedLines(bare, replaceCredentials(bare, { "vms.a": "1" })), {
      gone: [],
      come: [
        "    <smbios mode='sysinfo'/>",
        "  <sysinfo type='smbios'><oemStrings><entry>io.systemd.credential.binary:vms.a=MQ==</entry></oemStrings></sysinfo>",
      ],
    });
  });

  it("points a disk at another file and forgets the chain of the old one, and touches no other disk", () => {
    const moved = replaceDiskFiles(xml, new Map([["/var/lib/vms-test/work.qcow2", "/new.qcow2"]]));
    const { gone, come } = changedLines(xml, moved);
    assert.deepEqual(come, ["      <source file='/new.qcow2'>"]);
    assert.equal(gone.length, 6);
    assert.equal(readDomain(moved).disks[1], `/var/lib/vms-test/it's "data" & more.qcow2`);
    assert.ok(moved.includes("      <backingStore/>\n      <target dev='vdb'"));
  });

  it("replaces our mark and keeps the metadata of other tools, comments and CDATA in them too", () => {
    for (const text of [xml, bare])
      assert.deepEqual(readDomain(withName(replaceMark(text, changes.mark))).mark, changes.mark);
    const { gone } = changedLines(xml, replaceMark(xml, changes.mark));
    assert.ok(gone.every((line) => line.includes("vms:")));
  });

  it("changes the acceleration with the whole processor, and leaves a model that a user chose", () => {
    assert.deepEqual(changedLines(xml, setAcceleration(xml, "kvm")).come, [
      "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
      "  <cpu mode='host-passthrough' check='none' migratable='on'>",
    ]);
    assert.equal(setAcceleration(xml, "tcg"), xml, "it is emulated already");
    const back = setAcceleration(setAcceleration(xml, "kvm"), "tcg");
    const cache = "<tcg><tb-cache unit='MiB'>128</tb-cache></tcg>";
    assert.deepEqual(changedLines(xml, back), { gone: [], come: [`    ${cache}`] });
    assert.equal(setAcceleration(back, "kvm"), setAcceleration(xml, "kvm"), "KVM takes no such thing");
    const chosen = "<domain type='kvm'><cpu mode='custom' match='exact'><model>qemu64</model></cpu></domain>";
    assert.equal(setAcceleration(chosen, "tcg"), chosen.replace("'kvm'", "'qemu'"));
  });

  it("connects one interface to another network, or to none of the host, and keeps its MAC", () => {
    const onto = (mac: string, network: string | undefined) => changedLines(xml, setNetwork(xml, mac, network));
    assert.deepEqual(onto("52:54:00:00:00:02", "lab & co"), {
      gone: ["      <source network='default'/>"],
      come: ["      <source network='lab &#38; co'/>"],
    });
    assert.deepEqual(onto("52:54:00:00:00:02", undefined), {
      gone: ["    <interface type='network'>", "      <source network='default'/>"],
      come: ["    <interface type='user'>"],
    });
    assert.deepEqual(onto("52:54:00:00:00:01", "default").come, [
      "    <interface type='network'>",
      "      <source network='default'/>",
    ]);
    assert.throws(() => setNetwork(xml, "52:54:00:00:00:09", "default"), /no interface with the MAC/);
  });

  it("sets memory and processors whatever unit and maximum they had", () => {
    const domain = readDomain(setCpus(setMemory(domainFixture("terse"), 700), 3));
    assert.deepEqual([domain.memory, domain.mostMemory, domain.cpus, domain.mostCpus], [700, 700, 3, 3]);
    assert.ok(setMemory(domainFixture("terse"), 700).includes(`<memory  unit = "MiB" dumpCore="off">700</memory>`));
  });

  it("moves the console's log, in both places where libvirt shows it, and adds one where there is none", () => {
    const { gone, come } = changedLines(xml, setConsoleLog(xml, "/new.log"));
    assert.deepEqual(come, Array<string>(2).fill("      <log file='/new.log' append='on'/>"));
    assert.equal(gone.length, 2);
    assert.ok(setConsoleLog(domainFixture("terse"), "/new.log").includes("<log file='/new.log' append='on'/>"));
  });

  it("replaces the directories that we share, writable ones with shared memory, and keeps those of others", () => {
    const share = { source: "/srv/it's", target: "/mnt/a", readOnly: false };
    const [tag, other] = [shareTag(share), shareTag({ target: "/mnt/b" })];
    assert.match(tag, /^vms-share-[0-9a-f]{12}$/);
    const shared = replaceShares(bare, [share, { source: "/srv/b", target: "/mnt/b", readOnly: true }]);
    assert.deepEqual(changedLines(bare, shared).come, [
      `    <filesystem type='mount' accessmode='passthrough'><driver type='virtiofs'/><source dir='/srv/it&#39;s'/><target dir='${tag}'/></filesystem>`,
      `    <filesystem type='mount' accessmode='mapped'><source dir='/srv/b'/><target dir='${other}'/><readonly/></filesystem>`,
      "  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>",
    ]);
    assert.equal(replaceShares(shared, []).includes("vms-share-"), false);
    const users = replaceShares(xml, [share]);
    assert.ok(users.includes("<target dir='theirs'/>"));
    assert.deepEqual(changedLines(xml, users).gone, []);
    assert.equal(users.includes("memfd"), false, "a user's hugepages stay what backs the memory");
    assert.equal(replaceShares(users, []).includes(tag), false);
  });
});

function withName(text: string): string {
  return text.includes("<uuid>") ? text : text.replace("<os>", "<name>x</name><uuid>y</uuid><os>");
}
