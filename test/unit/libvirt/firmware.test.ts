import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nvramTemplate } from "../../../provider/libvirt/firmware.js";

const descriptor = (template: string, features: string[], machine = "pc-q35-*", format = "raw") =>
  JSON.stringify({
    "interface-types": ["uefi"],
    mapping: { device: "flash", "nvram-template": { filename: template, format } },
    targets: [{ architecture: "x86_64", machines: [machine] }],
    features,
  });

describe("the UEFI variables template", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "vms-firmware-"));
    for (const name of ["etc", "usr"]) mkdirSync(join(root, name));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });
  const write = (path: string, text: string) => {
    writeFileSync(join(root, path), text);
  };
  const choose = () => nvramTemplate([join(root, "etc"), join(root, "usr")]);

  it("is that of the first firmware without Secure Boot for the machine", async () => {
    write("usr/40-enrolled.json", descriptor("/enrolled", ["secure-boot", "enrolled-keys"]));
    write("usr/50-secure.json", descriptor("/secure", ["secure-boot"]));
    write("usr/55-arm.json", descriptor("/arm", [], "virt-*"));
    write("usr/60-plain.json", descriptor("/plain", ["acpi-s3"]));
    write("usr/70-other.json", descriptor("/other", []));
    assert.equal(await choose(), "/plain");
  });

  it("can be overridden by a descriptor of the same name in /etc", async () => {
    write("usr/60-plain.json", descriptor("/plain", []));
    write("etc/60-plain.json", descriptor("/mine", []));
    assert.equal(await choose(), "/mine");
  });

  it("is missed with a word on what to install", async () => {
    await assert.rejects(choose(), /no UEFI firmware[^]*vms bootstrap/);
  });
});
