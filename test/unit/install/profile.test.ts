import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode, type VmsError } from "../../../provider/errors.js";
import { normalProfile, readProfiles, shippedProfiles } from "../../../provider/install/profile.js";

describe("the profiles", () => {
  let folder: string;
  let scripts: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vms-profiles-"));
    scripts = join(folder, "guest");
    mkdirSync(join(scripts, "profiles", "more"), { recursive: true });
    for (const name of ["minimal.sh", "README.md", "i3.config", "-x.sh", "more/none.sh"]) ship(name, "");
    ship("gui.sh", "");
    ship("browser.sh", "# Profile browser: chromium.\n#\n# vms-base: gui\n\nset -e\n# vms-base: none\n");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function ship(name: string, text: string): void {
    writeFileSync(join(scripts, "profiles", name), `#!/usr/bin/env bash\n${text}`);
  }

  function bring(text: string | Buffer, name = "my-profile.sh"): string {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  }

  const refusal = (name: string): string => {
    try {
      readProfiles(name, scripts);
    } catch (error) {
      assert.ok(hasCode(error, "input"), String(error));
      return (error as VmsError).reason;
    }
    return assert.fail(`${name} was not refused`);
  };

  const namesOf = (name: string) => {
    const { top, below } = readProfiles(name, scripts);
    return [...below, top].map((profile) => profile.name);
  };

  it("are those that have a script, and no other file beside them is one", () => {
    assert.deepEqual(shippedProfiles(scripts), ["browser", "gui", "minimal"]);
  });

  it("refuse a name that has no script, as the default of a version without gui, by the names of those there are", () => {
    assert.deepEqual(namesOf("gui"), ["gui"]);
    rmSync(join(scripts, "profiles", "gui.sh"));
    assert.match(
      refusal("gui"),
      /^there is no profile "gui" in this version; write one of: browser, minimal; or the path/,
    );
    assert.match(
      refusal("browser"),
      /^its line "# vms-base: gui" in browser cannot be followed: there is no profile "gui"/,
    );
  });

  it("come with the package: minimal is there, and each can be installed", () => {
    assert.ok(shippedProfiles().includes("minimal"));
    for (const name of shippedProfiles()) assert.equal(readProfiles(name).top.name, name);
  });

  it("are read with all that they are made on, the lowest first; only the comments at the beginning say it", () => {
    assert.deepEqual(namesOf("browser"), ["gui", "browser"]);
    const path = bring("#!/bin/bash\n# vms-base: browser \necho mine\n");
    const { top } = readProfiles(path, scripts);
    assert.deepEqual([namesOf(path), top.own], [["gui", "browser", path], true]);
    assert.equal(top.script.toString(), "#!/bin/bash\n# vms-base: browser \necho mine\n");
  });

  it("refuse what is made on itself, on nothing, on two, or on a path", () => {
    ship("gui.sh", "# vms-base: browser\n");
    assert.equal(refusal("browser"), '"browser" cannot be installed: browser is made on itself ("# vms-base: ")');
    for (const lines of ["# vms-base:\n", "# vms-base: a b\n", "# vms-base: gui\n# vms-base: minimal\n"])
      assert.match(refusal(bring(`#!/bin/sh\n${lines}`)), /must say on one line what it is made on: # vms-base: NAME$/);
    assert.match(
      refusal(bring("#!/bin/sh\n# vms-base: ./other.sh\n")),
      /"\.\/other\.sh" is no profile of this package$/,
    );
  });

  describe("that are a user's own script", () => {
    it("are refused by the path where they cannot be one, and it is said why", () => {
      const nothing = join(folder, "nothing.sh");
      assert.equal(refusal(nothing), `the profile's script "${nothing}" does not exist`);
      assert.match(refusal(join(bring("#!/bin/sh\n"), "below.sh")), /below\.sh" does not exist$/);
      assert.match(refusal(`${folder}/`), /is not a file$/);
      assert.match(refusal("./a\nb.sh"), /has a control character in its path$/);
      for (const [script, why] of [
        ["", /does not begin with a line such as "#!\/usr\/bin\/env bash"$/],
        ["echo no interpreter\n", /does not begin with a line such as/],
        [Buffer.from("\x7fELF\0"), /does not begin with a line such as/],
        [Buffer.from([0x23, 0x21, 0x0a, 0xff, 0xfe]), /is not text$/],
        ["#!/bin/sh\n\0", /is not text$/],
        ["#!/bin/bash\r\necho\r\n", /line ends of Windows/],
        [`#!/bin/sh\n${"#".repeat(1024 * 1024)}`, /has 1048586 bytes: it may have 1048576 at most$/],
      ] as const)
        assert.match(refusal(bring(script)), why);
    });

    it("are refused where they may not be read", function () {
      if (process.getuid?.() === 0) this.skip();
      const path = bring("#!/bin/sh\n");
      chmodSync(path, 0);
      assert.match(refusal(path), /cannot be read: you may not$/);
    });

    it("are named from the program's directory where they are in it, wherever that is", () => {
      const names = ["./a.sh", "a.sh", "x/../a.sh", "/here/a.sh", "/here/b/a.sh", "/here/..b/a.sh"];
      assert.deepEqual(
        names.map((name) => normalProfile(name, "/here")),
        ["./a.sh", "./a.sh", "./a.sh", "./a.sh", "./b/a.sh", "./..b/a.sh"],
      );
      const elsewhere = ["../a.sh", "/there/a.sh", "/hereabouts/a.sh"];
      assert.deepEqual(
        elsewhere.map((name) => normalProfile(name, "/here")),
        elsewhere,
      );
      assert.equal(normalProfile("gui", "/here"), "gui");
    });
  });
});
