import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { hasCode } from "../../../provider/errors.js";
import { run } from "../../../provider/host/command.js";
import { hashScripts, recipeConf, writePayload } from "../../../provider/install/payload.js";

const shipped = (name: string) => ({ name, own: false, script: Buffer.from("") });
const recipe = {
  mirror: "https://mirror/$repo/os/$arch",
  profiles: [shipped("minimal")],
  packages: ["vim", "git"],
  recipe: "abc",
};

describe("payload", () => {
  let folder = "";
  const scripts = (): string => join(folder, "guest");

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vms-test-payload-"));
    mkdirSync(join(scripts(), "profiles"), { recursive: true });
    writeFileSync(join(scripts(), "install.sh"), "echo install\n");
    writeFileSync(join(scripts(), "profiles", "minimal.sh"), "echo minimal\n");
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("is a tar of the scripts and the recipe that fits a disk, and nothing else is left", async () => {
    const file = join(folder, "payload.tar");
    await writePayload(file, recipe, { scripts: scripts() });
    assert.equal(statSync(file).size % 512, 0);
    const { stdout } = await run(["tar", "-tf", file]);
    assert.deepEqual(stdout.split("\n").sort(), [
      "./",
      "./install.sh",
      "./profiles/",
      "./profiles/minimal.sh",
      "recipe.conf",
    ]);
    const { stdout: left } = await run(["ls", folder]);
    assert.equal(left, "guest\npayload.tar");
  });

  it("is the same to the byte, whatever the times and modes of the checkout", async () => {
    const files = [join(folder, "one.tar"), join(folder, "two.tar")] as const;
    await writePayload(files[0], recipe, { scripts: scripts() });
    utimesSync(join(scripts(), "install.sh"), 1, 1);
    chmodSync(join(scripts(), "install.sh"), 0o660);
    await writePayload(files[1], recipe, { scripts: scripts() });
    assert.ok(readFileSync(files[0]).equals(readFileSync(files[1])));
  });

  it("holds this package's own scripts unless told otherwise", async () => {
    const file = join(folder, "payload.tar");
    await writePayload(file, recipe);
    const { stdout } = await run(["tar", "-tf", file]);
    for (const name of ["./install.sh", "./finish.sh", "./identity.sh", "./profiles/minimal.sh"]) {
      assert.ok(stdout.split("\n").includes(name), name);
    }
  });

  it("hands every value to bash as it is", async () => {
    const nasty = `it's $(touch ${folder}/pwned) \`id\` "q" \\ $HOME\nsecond; line #`;
    const conf = join(folder, "recipe.conf");
    writeFileSync(conf, recipeConf({ ...recipe, mirror: nasty, packages: ["a'b", "c"] }));
    const script = 'set -eu; . "$1"; printf "%s|%s|%s|%s" "$VMS_MIRROR" "$VMS_PROFILES" "$VMS_PACKAGES" "$VMS_RECIPE"';
    const { stdout } = await run(["bash", "-c", script, "bash", conf]);
    assert.equal(stdout, `${nasty}|minimal|a'b c|abc`);
    assert.throws(() => statSync(join(folder, "pwned")), /ENOENT/);
  });

  it("gives an empty mirror where none is given", () => {
    assert.match(recipeConf({ ...recipe, mirror: undefined }), /^VMS_MIRROR=''$/m);
  });

  it("refuses a value that bash cannot take, and writes nothing", async () => {
    const file = join(folder, "payload.tar");
    const writing = writePayload(file, { ...recipe, profiles: [shipped("a\0b")] }, { scripts: scripts() });
    await assert.rejects(writing, (error: Error) => hasCode(error, "input") && error.message.includes("VMS_PROFILES"));
    assert.throws(() => statSync(file), /ENOENT/);
  });

  it("has a hash of its scripts that knows contents and names, not times and modes", async () => {
    const before = await hashScripts(scripts());
    assert.match(before, /^[0-9a-f]{64}$/);
    utimesSync(join(scripts(), "install.sh"), 1, 1);
    chmodSync(join(scripts(), "install.sh"), 0o600);
    assert.equal(await hashScripts(scripts()), before);
    renameSync(join(scripts(), "install.sh"), join(scripts(), "setup.sh"));
    const renamed = await hashScripts(scripts());
    assert.notEqual(renamed, before);
    writeFileSync(join(scripts(), "setup.sh"), "echo other\n");
    assert.notEqual(await hashScripts(scripts()), renamed);
  });

  it("has a hash that knows no profile, for each counts where it is installed", async () => {
    const before = await hashScripts(scripts());
    writeFileSync(join(scripts(), "profiles", "gui.sh"), "echo gui\n");
    assert.equal(await hashScripts(scripts()), before);
    writeFileSync(join(scripts(), "profiles", "i3.config"), "bar\n");
    assert.notEqual(await hashScripts(scripts()), before);
  });

  it("brings a user's own script along, which can be run, and names it", async () => {
    const script = Buffer.from("#!/bin/sh\necho mine\n");
    const own = { ...recipe, profiles: [shipped("gui"), { name: "./it's mine.sh", own: true, script }] };
    const file = join(folder, "payload.tar");
    await writePayload(file, own, { scripts: scripts() });
    const into = join(folder, "unpacked");
    mkdirSync(into);
    await run(["tar", "-xf", file, "-C", into]);
    const text = 'set -eu; . ./recipe.conf; echo "$VMS_PROFILES: $VMS_OWN_PROFILE"; ./own-profile';
    const { stdout } = await run(["bash", "-c", text], { cwd: into });
    assert.equal(stdout, "gui own-profile: ./it's mine.sh\nmine");
  });
});
