import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { compareSync } from "bcryptjs";
import { checkArchVm } from "../../provider/arch-vm-inputs.js";
import { shippedProfiles } from "../../provider/install/profile.js";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const valid = { name: "work", profile: "minimal" };
const empty: NodeJS.ProcessEnv = { HOME: "/nonexistent" };

const check = (news: Record<string, unknown>, olds?: Record<string, unknown>, environment = empty) =>
  checkArchVm(olds, news, environment);

const failing = (news: Record<string, unknown>, olds?: Record<string, unknown>) =>
  check({ ...valid, ...news }, olds).failures.map(({ property }) => property);

describe("the inputs of ArchVm", () => {
  it("are filled with the documented defaults", () => {
    const { inputs, failures } = check(valid);
    assert.deepEqual(failures, []);
    const { memory, cpus, disk, user, network, autostart, pacmanCache, acceleration, connection } = inputs;
    assert.deepEqual(
      { memory, cpus, disk, user, network, autostart, pacmanCache, acceleration, connection },
      {
        memory: 2048,
        cpus: 2,
        disk: "20G",
        user: "user",
        network: "default",
        autostart: false,
        pacmanCache: true,
        acceleration: "auto",
        connection: "qemu:///system",
      },
    );
    assert.equal("running" in inputs, false, "running stays unset");
  });

  it("report every failure at once, each under its property", () => {
    const { failures } = check({
      name: "Bad Name",
      profile: "gaming",
      memory: -5,
      cpus: 0,
      disk: "20",
      timezone: "Mars/Olympus",
      connection: "qemu+ssh://elsewhere/system",
      memroy: 4,
    });
    assert.deepEqual(failures.map(({ property }) => property).sort(), [
      "connection",
      "cpus",
      "disk",
      "memory",
      "memroy",
      "name",
      "profile",
      "timezone",
    ]);
    for (const { reason } of failures) assert.match(reason, /\S/);
    assert.match(failures.find(({ property }) => property === "name")?.reason ?? "", /"Bad Name"/);
  });

  it("refuse a profile that there is not, by the names of those there are", () => {
    const [failure, ...others] = check({ ...valid, profile: "gaming" }).failures;
    assert.deepEqual([failure?.property, others], ["profile", []]);
    const names = shippedProfiles().join(", ");
    assert.match(
      failure?.reason ?? "",
      new RegExp(`^there is no profile "gaming" in this version; write one of: ${names};`),
    );
    assert.deepEqual(failing({ profile: 7 }), ["profile"]);
  });

  it("take a script of the user's own for a profile, named from the program's directory, and record what it says", () => {
    const folder = mkdtempSync("./profile-");
    try {
      const [path, script] = [join(folder, "mine.sh"), "#!/bin/sh\n"];
      writeFileSync(path, script);
      const { inputs, failures } = check({ ...valid, profile: resolve(path) });
      assert.deepEqual([failures, inputs["profile"]], [[], `./${path}`]);
      assert.equal(inputs["profileScript"], createHash("sha256").update(script).digest("hex"));
      writeFileSync(path, "echo\n");
      assert.deepEqual(failing({ profile: path }), ["profile"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("take the profile gui where none is given", () => {
    const { inputs, failures } = check({ name: "work" });
    assert.deepEqual([inputs["profile"], failures], ["gui", []]);
  });

  for (const [property, values] of Object.entries({
    name: ["", "a b", "$(id)", "a\nb", "<x>", "-a", "ü", "a".repeat(64), 7],
    memory: [0, -1, 511, 2048.5, "2048", NaN],
    cpus: [0, 1.5, "2", 256],
    disk: ["20", "20X", "-20G", "1G", 20, ""],
    packages: [["a b"], ["$(id)"], ["a'b"], ["-Syu"], ["x\ny"], "vim", [1]],
    mirror: ["ftp://x/$repo/$arch", "https://x/", "https://x/$repo/$arch\nServer = evil", "x"],
    user: ["root", "A", "a b", "a:b", "-x"],
    authorizedKeys: [["ssh-ed25519 AAAA\nssh-rsa BBBB"], ["nonsense"], "ssh-ed25519 AAAA"],
    timezone: ["$(id)", "../../etc/passwd", "europe/berlin", "Europe/Berlin\n"],
    locale: ["english", "en_US.UTF-8\nX", "en_US", "$(id).UTF-8"],
    keymap: ["../us", "a b", ""],
    hostname: ["a_b", "-a", "a-", "a.b\n", ""],
    network: ["<network>", "a b", ""],
    password: ["", "x".repeat(73), "a\nb"],
    autostart: ["yes", 1],
    running: ["no"],
    acceleration: ["hvf"],
    timeouts: [{ boot: 0 }, { reboot: 5 }, 7, []],
    shares: [[{ source: "/", target: "x" }]],
    fresh: ["yes"],
    adopt: ["yes"],
  })) {
    it(`refuse a ${property} that cannot be used`, () => {
      for (const value of values) assert.deepEqual(failing({ [property]: value }), [property], JSON.stringify(value));
    });
  }

  it("accept what is unusual but right", () => {
    const unusual = {
      name: "a".repeat(63),
      memory: 512,
      cpus: 255,
      disk: "1T",
      packages: ["gtk4", "lib32-glibc", "r", "libstdc++5", "a.b_c@d"],
      mirror: "http://10.0.2.2:8080/$repo/os/$arch",
      authorizedKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me@home, with 'quotes' & <more>"],
      timezone: "America/Argentina/Buenos_Aires",
      locale: "de_DE.UTF-8",
      keymap: "de-latin1-nodeadkeys",
    };
    assert.deepEqual(check({ ...valid, ...unusual }).failures, []);
  });

  it("let through what is not known yet, also inside of a list or an object, and never hash it", () => {
    const news = {
      ...valid,
      memory: unknown,
      packages: ["vim", unknown],
      iso: { url: unknown, sha256: unknown },
      password: unknown,
    };
    const { inputs, failures } = check(news);
    assert.deepEqual(failures, []);
    assert.equal(inputs["memory"], unknown);
    assert.equal(inputs["password"], unknown);
    assert.deepEqual(inputs["packages"], ["vim", unknown]);
  });

  it("hash a password, and keep the hash as long as it is the password's", () => {
    const first = check({ ...valid, password: "correct horse" }).inputs;
    assert.ok(compareSync("correct horse", String(first["password"])));
    assert.equal(JSON.stringify(first).includes("correct horse"), false);
    assert.equal(check({ ...valid, password: "correct horse" }, first).inputs["password"], first["password"]);
    assert.notEqual(check({ ...valid, password: "another" }, first).inputs["password"], first["password"]);
  });

  it("keep a default that the VM was made with when the environment says something else later", () => {
    const made = check(valid, undefined, { ...empty, VMS_DEFAULT_MEMORY: "3072", VMS_IMAGES: "/srv/vms" }).inputs;
    assert.equal(made["memory"], 3072);
    const later = check(valid, made, { ...empty, VMS_DEFAULT_MEMORY: "1024", VMS_IMAGES: "/elsewhere" }).inputs;
    assert.equal(later["memory"], 3072);
    assert.deepEqual(later["settings"], made["settings"]);
  });

  it("name the setting that a default was taken from where that cannot be used, as it was written there", () => {
    const { failures } = check(valid, undefined, { ...empty, VMS_DEFAULT_MEMORY: "2G", VMS_DEFAULT_CPUS: "0" });
    assert.deepEqual(failures, [
      {
        property: "memory",
        reason: `"2G" is not a whole number of MiB from 512 to 16777216; it is taken from the setting vms:memory or VMS_DEFAULT_MEMORY`,
      },
      {
        property: "cpus",
        reason: "0 is not a whole number from 1 to 255; it is taken from the setting vms:cpus or VMS_DEFAULT_CPUS",
      },
    ]);
    const given = check({ ...valid, memory: 1 }, undefined, { ...empty, VMS_DEFAULT_MEMORY: "2G" }).failures;
    assert.deepEqual(given, [{ property: "memory", reason: "1 is not a whole number of MiB from 512 to 16777216" }]);
  });

  it("go back to the default when a program no longer gives a value", () => {
    const given = check({ ...valid, memory: 4096 }).inputs;
    assert.equal(check(valid, given).inputs["memory"], 2048);
  });

  it("refuse to shrink a disk, but not for a VM that is made anew anyway", () => {
    const made = check({ ...valid, disk: "40G" }).inputs;
    assert.deepEqual(failing({ disk: "30G" }, made), ["disk"]);
    assert.deepEqual(failing({ disk: "50G" }, made), []);
    assert.deepEqual(failing({ disk: "30G", name: "other" }, made), []);
  });

  it("name an environment variable that cannot be used", () => {
    const { failures } = check(valid, undefined, { ...empty, VMS_IMAGES: "relative/path" });
    assert.match(failures[0]?.reason ?? "", /VMS_IMAGES.*absolute path/);
  });
});
