import assert from "node:assert/strict";
import { type CloneChanges, cloneXml } from "../../../provider/libvirt/clone-xml.js";
import { readWritableDisks } from "../../../provider/libvirt/disks.js";
import { readDomain } from "../../../provider/libvirt/domain.js";
import { domainXml } from "../../../provider/libvirt/domain-xml.js";
import { attribute, elements, find, parseXml, textOf } from "../../../provider/libvirt/xml.js";
import { changedLines } from "../../support/changed-lines.js";
import { changes, domainFixture } from "../../support/domain-fixture.js";

const random = (line: string): string =>
  line
    .replace(/52:54:00(:[0-9a-f]{2}){3}/, "MAC")
    .replace(/(<genid>)[0-9a-f-]{36}/, "$1RANDOM")
    .replace(/(credential\.binary:vms\.\w+)=\S+?</, "$1=BASE64<");

describe("a clone's XML", () => {
  it("differs from that of a VM which its user has edited in the named places and in nothing else", () => {
    const source = domainFixture("edited");
    const { gone, come } = changedLines(source, cloneXml(source, changes));
    assert.deepEqual(come.map(random), [
      "  <name>copy-7</name>",
      `  <uuid>${changes.uuid}</uuid>`,
      "  <genid>RANDOM</genid>",
      `    <vms:vm xmlns:vms="urn:pulumi-vms:vm:1" uuid="7c1d9f5e-32a0-4f8e-9a5b-5a7f2f4d6e10" owner="stack:1" label="the &#39;stack&#39;" phase="creating" profile="minimal" image="abc"><vms:file path="/var/lib/vms-test/own.fd"/></vms:vm>`,
      `      <entry name='serial'>${changes.uuid}</entry>`,
      `      <entry name='uuid'>${changes.uuid}</entry>`,
      `      <entry name='serial'>${changes.uuid}</entry>`,
      "      <entry>io.systemd.credential.binary:vms.instance=BASE64</entry>",
      "      <entry>io.systemd.credential.binary:vms.hostname=BASE64</entry>",
      "    <nvram>/var/lib/vms-test/own.fd</nvram>",
      "      <source file='/var/lib/vms-test/clone&#39;s &#34;own&#34; &#38; &#60;1&#62;.qcow2'>",
      "      <source file='/var/lib/vms-test/own-2.qcow2'/>",
      "      <mac address='MAC'/>",
      "      <mac address='MAC'/>",
      "      <log file='/var/lib/vms-test/copy-7.log' append='on'/>",
      "      <source path='/var/lib/vms-test/second-port-copy-7.txt'/>",
      "      <log file='/var/lib/vms-test/copy-7.log' append='on'/>",
      "      <source mode='bind' path='/var/lib/vms-test/copy-7.tool.sock'/>",
      "    <graphics type='spice' port='-1' autoport='yes' listen='127.0.0.1' passwd='p&lt;w&apos;d'>",
      "      <cid auto='yes'/>",
    ]);
    assert.deepEqual(
      gone.filter((line) => !/<(name|uuid|genid|mac |cid |log |graphics |nvram>|source |\/?vms:|entry)/.test(line)),
      [
        "      <backingStore type='file'>",
        "        <format type='qcow2'/>",
        "        <backingStore/>",
        "      </backingStore>",
        "      <backingStore/>",
        "      <target dev='work-lan'/>",
      ],
    );
    assert.equal(gone.length, 30);
  });

  it("differs in the same way where all stands on one line, in other quotes", () => {
    const source = domainFixture("terse");
    const expected = source
      .replace("<name>work<", "<name>copy-7<")
      .replace("290656ec-b690-457c-bb84-37d5d6727b4f", changes.uuid)
      .replace(`>/var/lib/vms-test/work.fd<`, ">/var/lib/vms-test/own.fd<")
      .replace(/(--><disk.*?file=")[^"]*"/, '$1/var/lib/vms-test/clone&#39;s &#34;own&#34; &#38; &#60;1&#62;.qcow2"')
      .replace("<backingStore/>", "")
      .replace("52:54:00:00:00:03", "MAC")
      .replace("/var/lib/vms-test/line", "/var/lib/vms-test/line-copy-7")
      .replace(
        '<graphics type="vnc" port="5977" websocket="5700"',
        `<graphics autoport='yes' type="vnc" port="-1" websocket="-1"`,
      );
    const added = /\n *<(smbios|log|entry|sysinfo|oemStrings|metadata|\/?vms)[^\n]*(?=\n)|(?<=>)\n *(?=<)/g;
    const clone = cloneXml(source, changes);
    assert.equal(random(clone.trimEnd().replace(added, "")), expected.trimEnd());
    assert.deepEqual(readDomain(clone).mark, changes.mark);
    assert.equal(textOf(find(parseXml(clone), "domain", "sysinfo", "oemStrings", "entry"))?.includes("vms."), true);
  });

  it("has a MAC of its own on every interface", () => {
    const source = readDomain(domainFixture("edited")).macs;
    const clone = readDomain(cloneXml(domainFixture("edited"), changes)).macs;
    assert.equal(new Set([...source, ...clone]).size, 4);
  });

  it("remembers nothing of the source's chain of files: no backingStore, no path but those of read-only media", () => {
    const xml = cloneXml(domainFixture("edited"), changes);
    assert.equal(xml.includes("backingStore"), false);
    const domain = readDomain(xml);
    assert.deepEqual(domain.disks, [
      ...changes.disks.values(),
      "/var/lib/vms-test/seed.raw",
      "/var/lib/vms-test/medium.iso",
    ]);
    assert.equal(domain.nvram, changes.nvram);
  });

  it("is of a VM that we made ourselves as well: ten of them differ", () => {
    const spec = {
      name: "work",
      uuid: "290656ec-b690-457c-bb84-37d5d6727b4f",
      mark: changes.mark,
      memory: 1024,
      cpus: 1,
      acceleration: "tcg",
      mac: "52:54:00:00:00:01",
      network: undefined,
      disk: "/d/work.qcow2",
      nvram: "/n/work.fd",
      consoleLog: "/l/work.log",
      display: true,
      credentials: { "vms.hostname": "work", "vms.timezone": "UTC" },
    } as const;
    const source = domainXml(spec);
    assert.deepEqual(
      readWritableDisks(source).map(({ file }) => file),
      ["/d/work.qcow2"],
    );
    const clones = Array.from({ length: 10 }, (_, index): CloneChanges => {
      return { ...changes, name: `c${index}`, disks: new Map([["/d/work.qcow2", `/d/${index}.qcow2`]]) };
    }).map((each) => cloneXml(source, each));
    assert.equal(new Set(clones.map((xml) => readDomain(xml).macs[0])).size, 10);
    for (const xml of clones) {
      assert.doesNotMatch(xml, /work|timezone/);
      const strings = find(parseXml(xml), "domain", "sysinfo", "oemStrings");
      assert.ok(strings);
      assert.equal(elements(strings, "entry").length, 2);
      assert.equal(attribute(find(parseXml(xml), "domain", "devices", "serial", "log"), "file"), changes.consoleLog);
    }
  });

  it("takes memory and processors of its own, and refuses those that the source fixes in another place", () => {
    const made = readDomain(cloneXml(domainFixture("terse"), { ...changes, memory: 3072, cpus: 5 }));
    assert.deepEqual([made.memory, made.mostMemory, made.cpus, made.mostCpus], [3072, 3072, 5, 5]);
    assert.doesNotMatch(cloneXml(domainFixture("terse"), { ...changes, cpus: 5 }), /<vcpus>/);
    const shaped = domainFixture("terse").replace("</cpu>", `<topology sockets="2" cores="1" threads="1"/></cpu>`);
    assert.throws(() => cloneXml(shaped, { ...changes, cpus: 5 }), /its cpus cannot be changed.*topology/);
    const numa = domainFixture("terse").replace(
      "</cpu>",
      `<numa><cell id="0" cpus="0-1" memory="1048576"/></numa></cpu>`,
    );
    assert.throws(() => cloneXml(numa, { ...changes, memory: 5 }), /its memory cannot be changed.*NUMA/);
  });

  it("is refused where it would write to a file of its source", () => {
    const source = domainFixture("edited");
    const one = new Map([...changes.disks].slice(0, 1));
    assert.throws(
      () => cloneXml(source, { ...changes, disks: one }),
      /its disk .*it's "data" & more\.qcow2 would be written/,
    );
    const same = new Map([...changes.disks.keys()].map((path) => [path, path]));
    assert.throws(() => cloneXml(source, { ...changes, disks: same }), /would be written by the clone as well/);
    assert.throws(() => cloneXml(source, { ...changes, nvram: undefined }), /UEFI variables would be written/);
  });
});
