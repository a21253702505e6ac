import assert from "node:assert/strict";
import { domainXml, type DomainSpec, randomMac } from "../../../provider/libvirt/domain-xml.js";
import { readDomain } from "../../../provider/libvirt/domain.js";
import { attribute, elements, find, parseXml, textOf } from "../../../provider/libvirt/xml.js";

const spec: DomainSpec = {
  name: "work",
  uuid: "290656ec-b690-457c-bb84-37d5d6727b4f",
  mark: { owner: { id: "cli", label: "it's" }, phase: "creating", profile: "minimal", image: "k", files: ["/d.qcow2"] },
  memory: 2048,
  cpus: 2,
  acceleration: "tcg",
  mac: "52:54:00:00:00:01",
  network: "default",
  disk: `/a "b" <c> & 'd'/x.qcow2`,
  nvram: "/n.fd",
  display: true,
  credentials: { "vms.hostname": "a\n<b>" },
};

describe("a domain's XML", () => {
  it("holds every value as it was given, whatever characters are in it", () => {
    const domain = readDomain(domainXml(spec));
    assert.deepEqual(domain.disks, [spec.disk]);
    assert.equal(domain.memory, 2048);
    assert.deepEqual(domain.macs, [spec.mac]);
    assert.deepEqual(domain.mark, spec.mark);
    const entry = textOf(find(parseXml(domainXml(spec)), "domain", "sysinfo", "oemStrings", "entry"));
    const [, value = ""] = /^io\.systemd\.credential\.binary:vms\.hostname=(.*)$/.exec(entry ?? "") ?? [];
    assert.equal(Buffer.from(value, "base64").toString(), "a\n<b>");
  });

  it("boots from the disk and knows no kernel and no medium, unless it installs", () => {
    const document = parseXml(domainXml(spec));
    assert.equal(find(document, "domain", "os", "kernel"), undefined);
    const devices = find(document, "domain", "devices");
    assert.ok(devices);
    assert.equal(elements(devices, "disk").length, 1);
    const installer = { kernel: "/k", initramfs: "/i", commandLine: "a=b <c>" };
    const installing = parseXml(domainXml({ ...spec, installer, media: [{ path: "/x.iso", serial: "vms-iso" }] }));
    assert.equal(textOf(find(installing, "domain", "os", "cmdline")), "a=b <c>");
    assert.equal(textOf(find(installing, "domain", "on_reboot")), "destroy");
  });

  it("listens for the display on the loopback only", () => {
    const graphics = find(parseXml(domainXml(spec)), "domain", "devices", "graphics");
    assert.equal(attribute(graphics, "listen"), "127.0.0.1");
    assert.equal(find(parseXml(domainXml({ ...spec, display: false })), "domain", "devices", "graphics"), undefined);
  });

  it("has sound by its display, and neither without", () => {
    const audio = (display: boolean) => find(parseXml(domainXml({ ...spec, display })), "domain", "devices", "audio");
    assert.equal(attribute(audio(true), "type"), "spice");
    assert.equal(audio(false), undefined);
  });

  it("keeps less translated code than qemu would where it is emulated, and says nothing of that to KVM", () => {
    const cache = (acceleration: "kvm" | "tcg") =>
      find(parseXml(domainXml({ ...spec, acceleration })), "domain", "features", "tcg", "tb-cache");
    assert.deepEqual([attribute(cache("tcg"), "unit"), textOf(cache("tcg"))], ["MiB", "128"]);
    assert.equal(cache("kvm"), undefined);
  });

  it("has an address of its own each time", () => {
    const macs = new Set(Array.from({ length: 50 }, randomMac));
    assert.equal(macs.size, 50);
    for (const mac of macs) assert.match(mac, /^52:54:00(:[0-9a-f]{2}){3}$/);
  });
});
