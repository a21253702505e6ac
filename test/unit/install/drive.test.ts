import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { ConsoleTimeoutError, GuestLostError, InstallStepError } from "../../../provider/errors.js";
import { hasCode } from "../../../provider/errors.js";
import { type Boot, driveDisk, driveIso } from "../../../provider/install/drive.js";
import type { Progress } from "../../../provider/progress.js";
import { closeAll, fixture, makeFolder } from "../console/open.js";

/** What the guest does in a step: bash that knows its script as $1 and the step as $2. */
const wellDone = `
printf '%s %s\\n' "$1" "$2" >>"$VMS_TEST_GUEST/done"
if [[ $2 == packages ]]; then for i in 1 2 3; do echo "@vms progress $i 3 package-$i"; done; fi
`;

/** A step that fails as told, after the others went well. */
function failingIn(step: string, script: string): string {
  return `${wellDone}\nif [[ $2 == ${step} ]]; then\n${script}\nfi\n`;
}

describe("driving a boot", () => {
  const environment = { PATH: process.env["PATH"], VMS_TEST_GUEST: process.env["VMS_TEST_GUEST"] };
  let guest = "";
  let shown: string[] = [];

  const progress: Progress = {
    phase: (text) => void shown.push(`phase ${text}`),
    detail: (text) => void shown.push(`detail ${text}`),
    notice: (text) => void shown.push(`notice ${text}`),
  };

  beforeEach(() => {
    guest = makeFolder();
    shown = [];
    process.env["VMS_TEST_GUEST"] = guest;
    process.env["PATH"] = `${fixture("libvirt")}:${environment.PATH ?? ""}`;
    put("state", "paused (starting up)");
    put("how", "empty");
    put("step", wellDone);
  });

  afterEach(async () => {
    Object.assign(process.env, environment);
    if (environment.VMS_TEST_GUEST === undefined) delete process.env["VMS_TEST_GUEST"];
    await closeAll();
  });

  function put(name: string, text: string): void {
    writeFileSync(join(guest, name), `${text}\n`);
  }

  function get(name: string): string {
    return readFileSync(join(guest, name), "utf8");
  }

  function boot(changes: Partial<Boot> = {}): Boot {
    const log = join(guest, "console.log");
    return { connection: "test:///guest", domain: "guest", log, acceleration: "kvm", progress, ...changes };
  }

  it("resumes the domain, logs in, unpacks the payload, runs the steps of the medium in order and powers off", async () => {
    const timings = await driveIso(boot());
    const names = ["ready", "partition", "format", "packages", "configure", "bootloader", "unmount"];
    assert.equal(get("done"), names.map((name) => `install.sh ${name}\n`).join(""));
    assert.match(get("unpacked"), /-xf \/dev\/disk\/by-id\/virtio-vms-payload -C \/run\/vms/);
    assert.equal(get("state"), "shut off (shutdown)\n");
    assert.deepEqual(
      timings.map(({ name }) => name),
      ["boot", "login", "payload", ...names, "shutdown"],
    );
    assert.match(get("console.log"), /Welcome to Arch Linux![^]*Powering off\./);
  });

  it("is attached before the guest runs, so that nothing is missed", async () => {
    await driveIso(boot());
    const calls = get("calls").split("\n");
    assert.ok(
      calls.findIndex((call) => call.startsWith("console")) < calls.findIndex((call) => call.startsWith("resume")),
    );
    assert.match(get("console.log"), /BdsDxe: starting/);
  });

  it("runs the steps of the installed system, where root is logged in already", async () => {
    put("how", "automatic");
    const { rest } = await driveDisk(boot());
    assert.equal(get("done"), "finish.sh profile\nfinish.sh check\nfinish.sh seal\n");
    assert.deepEqual(rest, []);
  });

  it("powers off behind a step that asks for a restart, and goes on where it was in the next boot", async () => {
    put("how", "automatic");
    put("step", `${wellDone}\nif [[ $2 == profile ]]; then echo '@vms restart'; fi`);
    const { rest } = await driveDisk(boot());
    assert.equal(get("state"), "shut off (shutdown)\n");
    assert.equal(get("done"), "finish.sh profile\n");
    put("state", "paused (starting up)");
    assert.deepEqual((await driveDisk(boot(), rest)).rest, []);
    assert.equal(get("done"), "finish.sh profile\nfinish.sh check\nfinish.sh seal\n");
  });

  it("shows the phases and how far a step is", async () => {
    await driveIso(boot());
    const from = shown.indexOf("phase installing packages");
    assert.deepEqual(shown.slice(from, from + 5), [
      "phase installing packages",
      "detail packages 1/3 package-1",
      "detail packages 2/3 package-2",
      "detail packages 3/3 package-3",
      "phase configuring the system",
    ]);
    assert.equal(shown[0], "phase booting the installation medium");
    assert.equal(shown.at(-1), "phase powering the guest off");
  });

  it("says which step failed, the guest's reason, the last lines, the log and a hint, and goes no further", async () => {
    const script =
      "echo 'error: target not found: nonesuch'; echo fetching >&2; echo 'error: no package nonesuch; check the list' >&2; exit 1";
    put("step", failingIn("packages", script));
    await assert.rejects(driveIso(boot()), (error: InstallStepError) => {
      assert.equal(error.code, "step");
      assert.equal(error.step, "packages");
      assert.match(error.message, /^step "packages": no package nonesuch; check the list; its last lines:/);
      assert.equal(
        error.lastLines,
        "error: target not found: nonesuch\nfetching\nerror: no package nonesuch; check the list",
      );
      assert.equal(error.log, join(guest, "console.log"));
      assert.match(error.hint ?? "", /mirror/);
      return true;
    });
    assert.doesNotMatch(get("done"), /configure/);
  });

  it("gives the status of a step that does not say why it failed", async () => {
    put("step", failingIn("format", "exit 13"));
    await assert.rejects(driveIso(boot()), /step "format": ended with status 13/);
  });

  it("says which step did not end in its time, and how to give it more", async () => {
    put("step", failingIn("packages", "echo downloading; sleep 600"));
    await assert.rejects(driveIso(boot({ timeouts: { install: 5 } })), (error: InstallStepError) => {
      assert.equal(error.step, "packages");
      assert.match(error.message, /did not end within 5 s/);
      assert.match(error.lastLines, /downloading$/);
      assert.match(error.hint ?? "", /timeouts: \{ install: 10 \}/);
      return true;
    });
  });

  it("says that the guest did not boot in its time, and how to give it more", async () => {
    put("how", "deaf");
    await assert.rejects(driveIso(boot({ timeouts: { boot: 1 } })), (error: ConsoleTimeoutError) => {
      assert.equal(error.code, "console-timeout");
      assert.match(error.message, /no login prompt on the console within 1 s/);
      assert.match(error.hint ?? "", /timeouts: \{ boot: 2 \}/);
      return true;
    });
  });

  it("says that there was no shell behind the login, and how to give it more time", async () => {
    put("how", "stuck");
    await assert.rejects(driveIso(boot({ timeouts: { boot: 3 } })), (error: ConsoleTimeoutError) => {
      assert.match(error.message, /no root shell on the console within 3 s/);
      assert.match(error.hint ?? "", /timeouts: \{ boot: 6 \}/);
      return true;
    });
  });

  it("says that the log cannot be written where the host's disk is full", async () => {
    await assert.rejects(
      driveIso(boot({ log: "/dev/full" })),
      /console log \/dev\/full cannot be written: the disk is full/,
    );
  });

  it("says at once that the guest's kernel panicked", async () => {
    put("how", "panic");
    await assert.rejects(driveIso(boot()), (error: GuestLostError) => {
      assert.equal(error.code, "guest");
      assert.equal(error.why, "the guest's kernel panicked");
      assert.match(error.lastLines, /Unable to mount root fs/);
      return true;
    });
  });

  it("says at once that the guest powered itself off in a step", async () => {
    put("step", failingIn("configure", `printf 'shut off (shutdown)\\n' >"$VMS_TEST_GUEST/state"; kill -KILL $PPID`));
    await assert.rejects(driveIso(boot()), /step "configure": the guest powered itself off/);
  });

  it("says at once that the domain crashed in a step, and where qemu tells why", async () => {
    put("step", failingIn("configure", `printf 'shut off (crashed)\\n' >"$VMS_TEST_GUEST/state"; kill -KILL $PPID`));
    await assert.rejects(driveIso(boot()), (error: InstallStepError) => {
      assert.match(error.message, /step "configure": the domain crashed/);
      assert.match(error.hint ?? "", /\/var\/log\/libvirt\/qemu/);
      return true;
    });
  });

  it("says that the domain was paused because its disk could not be written, though its console stays", async () => {
    put("step", failingIn("packages", `printf 'paused (I/O error)\\n' >"$VMS_TEST_GUEST/state"; sleep 600`));
    await assert.rejects(driveIso(boot()), (error: InstallStepError) => {
      assert.equal(error.step, "packages");
      assert.match(error.message, /its disk cannot be written/);
      assert.equal(error.hint, "Run: df -h");
      return true;
    });
  });

  it("says that the console was taken where the domain goes on", async () => {
    put("step", failingIn("format", "kill -KILL $PPID"));
    await assert.rejects(driveIso(boot()), /step "format": its console was taken by another program/);
  });

  it("says that the guest does not power off", async () => {
    // An exported function of bash, which the guest's shell takes for its systemctl.
    process.env["BASH_FUNC_systemctl%%"] = "() { echo 'a stop job is running'; }";
    try {
      await assert.rejects(driveIso(boot({ timeouts: { shutdown: 1 } })), (error: ConsoleTimeoutError) => {
        assert.match(error.message, /no power-off on the console within 1 s/);
        assert.match(error.lastLines, /a stop job is running/);
        return true;
      });
    } finally {
      delete process.env["BASH_FUNC_systemctl%%"];
    }
  });

  it("ends when it is cancelled in a step", async () => {
    const control = new AbortController();
    put("step", failingIn("packages", "echo '@vms progress 0 1 started'; sleep 600"));
    const watching: Progress = { ...progress, detail: (text) => text.endsWith("started") && control.abort() };
    const driving = driveIso(boot({ progress: watching, signal: control.signal }));
    await assert.rejects(driving, (error: unknown) => hasCode(error, "cancelled"));
  });

  it("says what libvirt answers where there is no console", async () => {
    put("refusal", "internal error: cannot find character device <null>");
    await assert.rejects(driveIso(boot()), (error: Error) => {
      return (
        hasCode(error, "guest") &&
        /its console cannot be opened: internal error: cannot find character device/.test(error.message)
      );
    });
  });

  it("keeps secrets out of the log and the error", async () => {
    put("step", failingIn("ready", "echo 'error: https://user:hunter2@mirror does not answer' >&2; exit 1"));
    await assert.rejects(driveIso(boot({ secrets: ["hunter2"] })), (error: Error) => {
      assert.doesNotMatch(error.message, /hunter2/);
      assert.match(error.message, /user:\*+@mirror does not answer/);
      return true;
    });
    assert.ok(existsSync(join(guest, "console.log")));
    assert.doesNotMatch(get("console.log"), /hunter2/);
  });
});
