import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt, type RunResult } from "../../../provider/host/command.js";
import { guestScripts } from "./guest-tree.js";

describe("guest/add-packages.sh", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "vms-packages-"));
    mkdirSync(join(root, "bin"));
    mkdirSync(join(root, "run/vms"), { recursive: true });
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function program(name: string, text: string): void {
    const path = join(root, "bin", name);
    writeFileSync(path, `#!/bin/bash\n${text}\n`);
    chmodSync(path, 0o755);
  }

  const call = (args: readonly string[], env: Record<string, string> = {}): Promise<RunResult> =>
    attempt(["bash", join(guestScripts, "add-packages.sh"), ...args], {
      env: { VMS_ROOT: root, PATH: `${root}/bin:/usr/bin:/bin`, ...env },
    });
  const report = () => readFileSync(join(root, "run/vms/packages"), "utf8");

  it("begins a unit that tells its end whatever becomes of it, and no second one", async () => {
    program("pacman", "exit 127");
    program("systemctl", "echo inactive; exit 3");
    program("systemd-run", `printf '%s\\n' "$@" >"${root}/unit"`);
    const { stdout } = await call(["start", "nano", "git"]);
    assert.equal(stdout, "begun");
    assert.match(report(), /^running 0 0 /);
    const unit = readFileSync(join(root, "unit"), "utf8");
    assert.match(unit, /^--property=ExecStopPost=.*add-packages\.sh ended$/m);
    assert.match(unit, /add-packages\.sh\nrun\nnano\ngit\n$/);
    program("systemctl", "echo active");
    assert.equal((await call(["start", "nano"])).stdout, "busy");
  });

  it("begins nothing where all of them are installed", async () => {
    program("pacman", '[[ "$*" == "-T -- nano" ]]');
    program("systemctl", "echo inactive; exit 3");
    assert.equal((await call(["start", "nano"])).stdout, "nothing");
  });

  it("tells how it ended: well, with the script's own reason, or killed", async () => {
    await call(["ended"], { SERVICE_RESULT: "success" });
    assert.equal(report(), "ok\n");
    await call(["ended"], { SERVICE_RESULT: "oom-kill" });
    assert.match(report(), /^failed it was ended by the system: oom-kill/);
    writeFileSync(join(root, "run/vms/packages.log"), "something\nerror: target not found: nano\n");
    await call(["ended"], { SERVICE_RESULT: "exit-code" });
    assert.equal(report(), "failed target not found: nano\n");
  });
});
