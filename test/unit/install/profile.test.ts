import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { profileFailure, shippedProfiles } from "../../../provider/install/profile.js";

describe("the profiles", () => {
  let scripts: string;
  beforeEach(() => {
    scripts = mkdtempSync(join(tmpdir(), "vms-profiles-"));
    mkdirSync(join(scripts, "profiles", "more"), { recursive: true });
    for (const name of ["minimal.sh", "gui.sh", "README.md", "i3.config", "-x.sh", "more/none.sh"])
      writeFileSync(join(scripts, "profiles", name), "#!/usr/bin/env bash\n");
  });
  afterEach(() => {
    rmSync(scripts, { recursive: true });
  });

  it("are those that have a script, and no other file beside them is one", () => {
    assert.deepEqual(shippedProfiles(scripts), ["gui", "minimal"]);
  });

  it("refuse a name that has no script, as the default of a version without gui, by the names of those there are", () => {
    assert.equal(profileFailure("gui", scripts), undefined);
    rmSync(join(scripts, "profiles", "gui.sh"));
    assert.equal(profileFailure("gui", scripts), 'there is no profile "gui" in this version; write one of: minimal');
    assert.match(profileFailure(7, scripts) ?? "", /there is no profile 7 /);
  });

  it("come with the package: minimal is there", () => {
    assert.ok(shippedProfiles().includes("minimal"));
  });
});
