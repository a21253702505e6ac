import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConf, resolveSettings } from "../../provider/settings.js";

describe("settings", () => {
  const directory = mkdtempSync(join(tmpdir(), "vms-settings-"));
  const conf = join(directory, "vms.conf");
  after(() => {
    rmSync(directory, { recursive: true });
  });

  it("are found in the documented order: argument, environment, vms.conf, default", () => {
    writeFileSync(
      conf,
      'VMS_IMAGES=/from/conf\nVMS_ISO="/conf iso"\n# a comment\nVMS_DEFAULT_DISK=30G # behind a value\n',
    );
    const { settings, defaults } = resolveSettings(
      { images: "/from/argument" },
      { VMS_CONF: conf, VMS_IMAGES: "/from/environment", VMS_ISO: "" },
    );
    assert.equal(settings.images, "/from/argument");
    assert.equal(settings.iso, "/conf iso", "an empty variable counts as none");
    assert.equal(settings.pkgCache, "/var/cache/pacman/pkg");
    assert.equal(defaults.disk, "30G");
  });

  it("name the line of a vms.conf that is not understood", () => {
    assert.throws(() => parseConf("VMS_IMAGES=/a\nVMS_IMAGE=/b\n", "x.conf"), /x\.conf:2 .*VMS_IMAGE=/);
    assert.throws(() => parseConf("VMS_IMAGES=$(id) x\n", "x.conf"), /x\.conf:1/);
  });

  it("say which vms.conf is missing where one was named", () => {
    assert.throws(() => resolveSettings({}, { VMS_CONF: join(directory, "none.conf") }), /none\.conf cannot be read/);
  });

  it("take an empty VMS_CONF for none", () => {
    assert.equal(resolveSettings({}, { VMS_CONF: "", HOME: directory }).settings.iso, "/var/lib/libvirt/iso");
  });

  it("refuse a relative directory", () => {
    assert.throws(() => resolveSettings({}, { HOME: directory, VMS_ISO: "isos" }), /VMS_ISO is "isos".*absolute/);
  });
});
