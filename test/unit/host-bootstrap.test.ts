import assert from "node:assert/strict";
import { check, diff } from "../../provider/host-bootstrap.js";
import { FakeHost } from "./host/fake-host.js";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("the resource HostBootstrap", () => {
  let fake: FakeHost;
  beforeEach(() => {
    // A host with no program at all: what a preview has to do with.
    fake = new FakeHost();
  });
  afterEach(() => {
    fake.remove();
  });
  const checked = async (news: Record<string, unknown>, olds?: Record<string, unknown>) =>
    (await check(olds, { resourceUrn: "urn:pulumi:dev::p::t::n", settings: {}, ...news })) as {
      inputs: Record<string, unknown>;
      failures: { property: string; reason: string }[];
    };

  it("fills in what is not given, and the directories of this run", async () => {
    const { inputs, failures } = await checked({ settings: { images: "/data/images" } });
    assert.deepEqual(failures, []);
    assert.deepEqual(inputs["packages"], []);
    assert.equal((inputs["settings"] as { images: string }).images, "/data/images");
  });

  it("reports all that is wrong at once, each under its property, and asks nothing of the host", async () => {
    const { failures } = await checked({
      user: "no one",
      packages: ["-y"],
      settings: { iso: "relative" },
      colour: "red",
    });
    assert.deepEqual(failures.map(({ property }) => property).sort(), ["colour", "packages", "settings", "user"]);
    assert.match(
      failures.find(({ property }) => property === "packages")?.reason ?? "",
      /"-y" is not the name of a package/,
    );
    assert.deepEqual(fake.calls(), []);
  });

  it("takes what is not known yet as it is, and as a difference", async () => {
    const { inputs, failures } = await checked({ user: unknown });
    assert.deepEqual([failures, inputs["user"]], [[], unknown]);
    assert.equal((await diff("id", { ...inputs, user: "anna" }, inputs)).changes, true);
  });

  it("takes several failures in a user's name for one of them", async () => {
    for (const user of ["", "-rf", "a b", "a;b", "ä", "1000", 7]) {
      assert.deepEqual(
        (await checked({ user })).failures.map(({ property }) => property),
        ["user"],
        String(user),
      );
    }
  });

  it("is no change where nothing changed and nothing is missing, whatever else the state holds", async () => {
    const { inputs } = await checked({ user: "anna", packages: ["htop"] });
    // Pulumi keeps the keys of an object in the order of the alphabet.
    const settings = Object.fromEntries(
      Object.entries(inputs["settings"] as object)
        .sort()
        .reverse(),
    );
    const state = {
      ...inputs,
      settings,
      distribution: "debian",
      changed: ["x"],
      missing: [],
      unavailable: ["network"],
      schemaVersion: 1,
    };
    const again = (await checked({ user: "anna", packages: ["htop"] }, inputs)).inputs;
    assert.deepEqual(await diff("id", state, again), { changes: false, replaces: [], deleteBeforeReplace: false });
    assert.deepEqual(fake.calls(), []);
  });

  it("is a change, and never a replacement, where a user, a package or a directory is another", async () => {
    const { inputs } = await checked({ user: "anna" });
    for (const other of [
      { user: "bert" },
      { user: "anna", packages: ["htop"] },
      { user: "anna", settings: { iso: "/iso" } },
    ]) {
      const { changes, replaces } = await diff("id", inputs, (await checked(other, inputs)).inputs);
      assert.deepEqual([changes, replaces], [true, []]);
    }
  });

  it("is a change where a refresh found something missing", async () => {
    const { inputs } = await checked({});
    assert.equal(
      (await diff("id", { ...inputs, missing: ["the libvirt service: libvirtd does not run"] }, inputs)).changes,
      true,
    );
  });

  it("reads a state that an unknown version wrote", async () => {
    const { inputs } = await checked({});
    const { packages, settings } = inputs;
    assert.equal((await diff("id", { packages, settings, missing: "?" }, inputs)).changes, false);
  });
});
