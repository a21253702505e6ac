import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Examined, examineHost } from "../../provider/doctor.js";
import { hasCode, VmsError } from "../../provider/errors.js";
import { attempt } from "../../provider/host/command.js";
import type { Host } from "../../provider/host/requirement.js";
import { makeStore, type TestStore, environmentOf } from "../support/store.js";
import { addUser, removeUser } from "../support/users.js";
import { vmsOn, vmsProgram } from "../support/vms-command.js";

describe("vms doctor (this host)", () => {
  let store: TestStore;
  before(() => {
    store = makeStore();
  });
  after(() => store.remove());

  const asked =
    "node processor kvm packages kvm-device service group membership directories network login forwarding firewall room iso pulumi";

  it("tells each requirement on a line, and is done with status 0 where nothing needed is bad", async () => {
    const { status, stdout } = await vmsOn(store.settings)("doctor", "--json");
    const examined = JSON.parse(stdout) as Examined[];
    assert.deepEqual(examined.map(({ id }) => id).sort(), asked.split(" ").sort());
    const bad = examined.filter(({ state, needed }) => state === "bad" && needed);
    assert.deepEqual(bad, []);
    assert.equal(status, 0);
    for (const one of examined.filter(({ state }) => state !== "good"))
      assert.ok(one.commands.length > 0 || one.hint !== undefined, `${one.id} says what to do`);
    const lines = (await vmsOn(store.settings)("doctor")).stdout.split("\n");
    for (const { state, description } of examined)
      assert.ok(
        lines.some((line) => line.startsWith(`${state.padEnd(8)}${description}`)),
        description,
      );
  });

  it("names the directory that keeps qemu out, and those that are missing, with what mends them, and changes nothing", async () => {
    const closed = mkdtempSync(join(tmpdir(), "vms-doctor-"));
    chmodSync(closed, 0o700);
    mkdirSync(join(closed, "images"));
    try {
      const vms = vmsOn({ ...store.settings, images: join(closed, "images") });
      for (let turn = 0; turn < 2; turn += 1) {
        const { status, stdout } = await vms("doctor");
        assert.equal(status, 1);
        const line = stdout.split("\n").find((one) => one.startsWith("bad     the directories")) ?? "";
        assert.match(line, new RegExp(`${closed} keeps qemu or the group libvirt out`));
        assert.ok(line.includes(`${closed}/images/vms`), line);
        assert.match(stdout, new RegExp(`Run: setfacl --modify \\S+ -- ${closed}\\n`));
        assert.match(stdout, /One command mends the directories for disks, ISOs and packages:\n {8}vms bootstrap$/);
      }
    } finally {
      rmSync(closed, { recursive: true });
    }
  });

  it("is stopped by Ctrl-C in the middle of a look, which is no requirement that could not be looked at", async () => {
    const cancel = new AbortController();
    const waits = {
      id: "waits",
      description: "what takes long",
      fatal: false,
      probe: async ({ signal }: Host) => {
        cancel.abort(new VmsError("cancelled", "it was stopped by Ctrl-C"));
        await attempt(["sleep", "1000"], { signal, timeout: 0 });
        return undefined;
      },
    };
    await assert.rejects(examineHost({ ...store.context, signal: cancel.signal }, [waits]), (error) =>
      hasCode(error, "cancelled"),
    );
  });

  it("tells one who is neither root nor in the group what is bad, with root's rights only where they are needed", async function () {
    const user = `vmsdoctor${process.pid}`;
    addUser(user, "--no-create-home");
    try {
      const [uid, gid] = ["-u", "-g"].map((flag) => execFileSync("id", [flag, user], { encoding: "utf8" }).trim()) as [
        string,
        string,
      ];
      const env = { ...environmentOf(store.settings), USER: user, HOME: "/nonexistent", PATH: "/usr/bin:/bin" };
      // A checkout in a home directory is closed to others.
      if ((await attempt(["runuser", "--user", user, "--", "test", "-r", vmsProgram])).status !== 0) this.skip();
      const drop = ["setpriv", "--reuid", uid, "--regid", gid, "--clear-groups"] as const;
      const { status, stdout } = await attempt([...drop, process.execPath, vmsProgram, "doctor", "--json"], { env });
      assert.equal(status, 1);
      const byId = new Map((JSON.parse(stdout) as Examined[]).map((one) => [one.id, one]));
      assert.match(byId.get("membership")?.commands[0] ?? "", /^(sudo |su -c ')usermod --append --groups libvirt /);
      assert.equal(byId.get("login")?.state, "bad");
      for (const command of [byId.get("network"), byId.get("pulumi")].flatMap((one) => one?.commands ?? []))
        assert.doesNotMatch(command, /^su/);
    } finally {
      removeUser(user);
    }
  });

  it("says what is wrong with the ISO that the environment names", async () => {
    const { status, stdout } = await vmsOn(store.settings, { VMS_ARCH_ISO: "/nowhere/arch.iso" })("doctor", "--json");
    assert.equal(status, 0, "VMs on an image that is there need none");
    const iso = (JSON.parse(stdout) as Examined[]).find(({ id }) => id === "iso");
    assert.equal(iso?.state, "bad");
    assert.match(`${iso.reason} ${iso.hint}`, /\/nowhere\/arch\.iso is not there VMS_ARCH_ISO names it/);
  });

  it("is a usage error with arguments that there are not", async () => {
    assert.equal((await vmsOn(store.settings)("doctor", "--mend")).status, 2);
  });
});
