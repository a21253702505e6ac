import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasCode, toVmsError, VmsError } from "../../../provider/errors.js";
import { inspectHost, prepareHost } from "../../../provider/host/prepare.js";
import type { Host, Requirement } from "../../../provider/host/requirement.js";
import { recordProgress } from "../../support/recorded.js";
import { FakeHost } from "./fake-host.js";

/** A file that must be there; `commands` are programs of the fake host. */
function fileRequirement(
  fake: FakeHost,
  id: string,
  over: Partial<Requirement> = {},
  ...commands: string[]
): Requirement {
  return {
    id,
    description: `the file ${id}`,
    fatal: true,
    right: "root",
    settle: 0,
    probe: () =>
      Promise.resolve(
        existsSync(join(fake.root, id))
          ? undefined
          : {
              reason: "it is not there",
              commands: commands.map((name) => ({ argv: [name, id] as const })),
              hint: `Make it: ${id}`,
            },
      ),
    ...over,
  };
}

describe("making a host ready", () => {
  let fake: FakeHost;
  beforeEach(() => {
    fake = new FakeHost();
    fake
      .script("make", 'printf "" >"$FAKE_HOST/$1"')
      .script("break", 'echo "no room on $1" >&2; exit 3')
      .script("idle", "");
  });
  afterEach(() => {
    fake.remove();
  });
  const prepare = (requirements: Requirement[], host: Host = fake.host) =>
    prepareHost(requirements, host, recordProgress(), "sudo ./vms bootstrap");

  it("mends only what is missing, and says what; a second run changes nothing", async () => {
    fake.write("a", "");
    const requirements = [fileRequirement(fake, "a", {}, "make"), fileRequirement(fake, "b", {}, "make")];
    assert.deepEqual((await prepare(requirements)).changed, ["the file b: it is not there"]);
    assert.deepEqual(fake.calls(), ["make b"]);
    assert.deepEqual(await prepare(requirements), { changed: [], mended: [], unavailable: [] });
    assert.deepEqual(fake.calls(), ["make b"]);
  });

  it("without the right changes nothing, lists all that is missing and gives the command to run", async () => {
    const requirements = [
      fileRequirement(fake, "network", { fatal: false, right: "libvirt" }, "make"),
      fileRequirement(fake, "a", {}, "make"),
      fileRequirement(fake, "b", {}, "make"),
    ];
    await assert.rejects(prepare(requirements, { ...fake.host, uid: 1000 }), (error: unknown) => {
      assert.ok(error instanceof VmsError);
      assert.equal(error.code, "permission");
      assert.match(error.message, /^Cannot prepare host ".+": .*nothing was changed.*the file a: .*the file b: /);
      assert.equal(error.hint, "Run: sudo ./vms bootstrap");
      return true;
    });
    assert.deepEqual(fake.calls(), []);
  });

  it("without root's right still mends what a member of the libvirt group may", async () => {
    const requirements = [fileRequirement(fake, "network", { fatal: false, right: "libvirt" }, "make")];
    assert.deepEqual((await prepare(requirements, { ...fake.host, uid: 1000 })).mended, ["network"]);
  });

  it("changes nothing where one thing is beyond it", async () => {
    const requirements = [fileRequirement(fake, "a", {}, "make"), fileRequirement(fake, "hopeless")];
    await assert.rejects(prepare(requirements), (error) => {
      assert.ok(hasCode(error, "requirement"));
      assert.match(String(error), /the file hopeless: it is not there\n {2}Make it: hopeless/);
      return true;
    });
    assert.deepEqual(fake.calls(), []);
  });

  it("stops at a command that fails, and says which, what it said and what to do", async () => {
    const requirements = [fileRequirement(fake, "a", {}, "break"), fileRequirement(fake, "b", {}, "make")];
    await assert.rejects(prepare(requirements), /the file a: break a: break said: no room on a\n {2}Make it: a/);
    assert.deepEqual(fake.calls(), ["break a"]);
  });

  it("goes on without what is not fatal, and says so with its reason and remedy", async () => {
    const progress = recordProgress();
    const requirements = [
      fileRequirement(fake, "a", { fatal: false }, "break"),
      fileRequirement(fake, "b", {}, "make"),
    ];
    const { changed, unavailable } = await prepareHost(requirements, fake.host, progress, "");
    assert.deepEqual([changed.length, unavailable], [1, ["a"]]);
    assert.match(progress.notices.join("\n"), /the file a could not be made ready: .*no room on a.*Make it: a/s);
  });

  it("takes what somebody else makes at the same time for made", async () => {
    fake.script("lose", 'printf "" >"$FAKE_HOST/$1"; echo "it is there already" >&2; exit 1');
    const requirements = [fileRequirement(fake, "a", {}, "lose"), fileRequirement(fake, "b", { fatal: false }, "lose")];
    const { mended, unavailable } = await prepare(requirements);
    assert.deepEqual([mended, unavailable], [["a", "b"], []]);
  });

  it("tells why it failed, also where it cannot be asked any more whether somebody else has done it", async () => {
    let probes = 0;
    const lost = fileRequirement(fake, "a", {
      fatal: false,
      probe: () =>
        ++probes > 2
          ? Promise.reject(new Error("hangs"))
          : Promise.resolve({ reason: "", commands: [{ argv: ["break", "a"] }] }),
    });
    const progress = recordProgress();
    assert.deepEqual((await prepareHost([lost], fake.host, progress, "")).unavailable, ["a"]);
    assert.match(progress.notices.join(), /no room on a/);
  });

  it("waits for what shows only a while after its commands ended", async () => {
    let probes = 0;
    const late = fileRequirement(fake, "late", {
      settle: 30,
      probe: () => Promise.resolve(++probes > 5 ? undefined : { reason: "not yet", commands: [{ argv: ["idle"] }] }),
    });
    assert.deepEqual((await prepare([late])).mended, ["late"]);
    assert.deepEqual(fake.calls(), ["idle"]);
  });

  it("runs what a first command uncovers, too, without a wait", async () => {
    const requirement = fileRequirement(fake, "a", {
      settle: 600,
      probe: () => {
        const next = ["first", "second"].find((name) => !existsSync(join(fake.root, name)));
        return Promise.resolve(
          next === undefined ? undefined : { reason: `${next} lacks`, commands: [{ argv: ["make", next] }] },
        );
      },
    });
    await prepare([requirement]);
    assert.deepEqual(fake.calls(), ["make first", "make second"]);
  });

  it("stops when the user cancels, before it looks and while it waits for what it has mended", async () => {
    const cancel = new AbortController();
    const host = { ...fake.host, signal: cancel.signal };
    const stopped = (error: unknown) =>
      toVmsError(error).code === "cancelled" && /stopped by Ctrl-C/.test(String(error));
    const never = fileRequirement(fake, "a", {
      settle: 600,
      probe: () => Promise.resolve({ reason: "a lacks", commands: [{ argv: ["idle"] }] }),
    });
    const preparing = prepare([never], host);
    setTimeout(() => {
      cancel.abort(new VmsError("cancelled", "it was stopped by Ctrl-C"));
    }, 300);
    await assert.rejects(preparing, stopped);
    await assert.rejects(inspectHost([never], host), stopped);
  });
});
