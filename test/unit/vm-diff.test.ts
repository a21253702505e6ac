import assert from "node:assert/strict";
import { replacing } from "../../provider/arch-vm-inputs.js";
import { diffVm, unsupportedChanges } from "../../provider/vm-diff.js";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const inputs = {
  name: "work",
  profile: "minimal",
  memory: 2048,
  cpus: 2,
  disk: "20G",
  packages: [],
  settings: { images: "/a" },
  defaulted: [],
};
const state = {
  ...inputs,
  uuid: "u",
  state: "running",
  phase: "ready",
  mac: "m",
  schemaVersion: 1,
  resourceUrn: "a",
  __provider: "x",
};

const diff = (changes: Record<string, unknown>, olds: Record<string, unknown> = state, live?: boolean) =>
  diffVm(replacing, olds, { ...inputs, ...changes }, () => live);

describe("the difference of an ArchVm", () => {
  it("is none where nothing changed, whatever the bookkeeping says", () => {
    const { changes, lines } = diff({
      resourceUrn: "b",
      defaulted: ["memory"],
      settings: { images: "/b" },
      __provider: "y",
    });
    assert.equal(changes, false);
    assert.deepEqual(lines, []);
  });

  it("is none for a state of a later or earlier version with outputs that this one does not know as inputs", () => {
    assert.equal(diff({}, { ...state, schemaVersion: 7, ownerLabel: "l", owner: "o" }).changes, false);
  });

  it("is in place for memory, cpus and network, and says whether they wait for the next boot", () => {
    const change = { memory: 3072, cpus: 4, network: "user" };
    const { changes, replaces, lines } = diff(change, { ...state, network: "default" }, false);
    assert.equal(changes, true);
    assert.deepEqual(replaces, []);
    const what = ["cpus 2 -> 4", "memory 2048 -> 3072", "network default -> user"];
    assert.deepEqual(
      lines,
      what.map((one) => `${one}: in place, at the next boot (a power-off and a start)`),
    );
    const words = (live?: boolean) => diff(change, { ...state, network: "default" }, live).lines;
    assert.deepEqual(
      words(true),
      what.map((one) => `${one}: in place, live`),
    );
    assert.deepEqual(
      words(),
      what.map((one) => `${one}: in place, live if it runs`),
    );
  });

  it("says of each property by itself whether it is live", () => {
    const { lines } = diffVm(replacing, state, { ...inputs, memory: 1024, cpus: 9 }, (name) => name === "memory");
    assert.match(lines[0] ?? "", /^cpus .* at the next boot/);
    assert.match(lines[1] ?? "", /^memory .* live$/);
  });

  it("is in place for shares and acceleration, which always wait for the next boot", () => {
    const shares = [{ source: "/srv", target: "/mnt", readOnly: false }];
    for (const change of [{ shares }, { acceleration: "tcg" }]) {
      const { changes, replaces, lines } = diff(change, state, true);
      assert.deepEqual([changes, replaces], [true, []]);
      assert.match(lines[0] ?? "", /in place, at the next boot \(a power-off and a start\)$/);
    }
    assert.equal(diff({ shares }, { ...state, shares }).changes, false);
    assert.equal(diff({}, { ...state, shares }).changes, true, "taking them away is a change");
  });

  it("says whether a grown disk reaches the guest now", () => {
    const line = (runs?: boolean) => diff({ disk: "30G" }, state, runs).lines[0];
    assert.match(line(true) ?? "", /20G -> 30G.* live$/);
    assert.match(line(false) ?? "", /at the next boot$/);
    assert.match(line() ?? "", /live if it runs$/);
  });

  for (const name of ["name", "profile", "user", "connection"]) {
    it(`makes a new VM where ${name} changes, the old one first, and says that data is lost`, () => {
      const { replaces, deleteBeforeReplace, lines } = diff({ [name]: "another" });
      assert.deepEqual(replaces, [name]);
      assert.equal(deleteBeforeReplace, true);
      assert.match(lines[0] ?? "", /a new VM is made, the data of the old one is lost/);
    });

    it(`never makes a new VM for a ${name} that is not known yet`, () => {
      const { changes, replaces } = diff({ [name]: unknown });
      assert.equal(changes, true);
      assert.deepEqual(replaces, []);
    });
  }

  it("records that the script of a profile of the user's own has changed, and says that nothing is done", () => {
    const own = { profile: "./mine.sh", profileScript: "1" };
    const { changes, replaces, lines } = diff({ ...own, profileScript: "2" }, { ...state, ...own });
    assert.deepEqual([changes, replaces], [true, []]);
    assert.deepEqual(lines, [
      "the script ./mine.sh has changed: recorded; it matters at an install only, nothing is done to this VM",
    ]);
  });

  it("makes a new VM where another script is named, and none where the same one lies somewhere else", () => {
    const own = { profile: "./mine.sh", profileScript: "1" };
    const other = diff({ profile: "./other.sh", profileScript: "2" }, { ...state, ...own });
    assert.deepEqual(other.replaces, ["profile"]);
    assert.equal(other.lines.length, 1);
    assert.equal(diff({ profile: "/moved/mine.sh", profileScript: "1" }, { ...state, ...own }).changes, false);
    assert.deepEqual(diff({ profile: "minimal" }, { ...state, ...own }).replaces, ["profile"]);
    assert.deepEqual(diff(own).replaces, ["profile"]);
  });

  it("records what only an install looks at, and says that nothing is done", () => {
    for (const name of ["iso", "mirror", "pacmanCache", "timeouts"]) {
      const { replaces, lines } = diff({ [name]: "https://example.org" });
      assert.deepEqual(replaces, []);
      assert.match(lines[0] ?? "", /recorded; it matters at an install only/);
    }
  });

  it("enforces running only where the program sets it", () => {
    const off = { ...state, state: "shut off" };
    assert.equal(diff({}, off).changes, false);
    assert.equal(diff({ running: true }, { ...off, running: true }).changes, true);
    assert.equal(diff({ running: true }, { ...state, running: true }).changes, false);
  });

  it("makes whole what was left half-made", () => {
    assert.equal(diff({}, { ...state, phase: "creating" }).changes, true);
  });

  it("is none for a state that is older than a property, where that has only its default", () => {
    const newer = ["schemaVersion", "phase", "cpus"];
    const older = Object.fromEntries(Object.entries(state).filter(([name]) => !newer.includes(name)));
    assert.equal(diff({ defaulted: ["cpus"] }, older).changes, false);
    assert.deepEqual(diff({}, older).lines, ["cpus not set -> 2: in place, live if it runs"]);
  });

  it("is none for what another version recorded and this one does not know", () => {
    assert.equal(diff({}, { ...state, somethingElse: 1 }).changes, false);
  });

  it("gives a domain that was renamed its name back, and never replaces it", () => {
    const { replaces, lines } = diff({}, { ...state, domainName: "other", state: "shut off" });
    assert.deepEqual(replaces, []);
    assert.deepEqual(lines, ["libvirt calls it other: it is named work again, in place"]);
    assert.match(diff({}, { ...state, domainName: "other" }).lines[0] ?? "", /when it is off$/);
    const followed = diff({ name: "other" }, { ...state, domainName: "other" });
    assert.deepEqual([followed.changes, followed.replaces], [true, []]);
    assert.deepEqual(diff({ name: "third" }, { ...state, domainName: "other" }).replaces, ["name"]);
    assert.equal(diff({}, { ...state, domainName: "work" }).changes, false);
  });

  it("says of a lost disk that the VM is made again without its data, and of a lost mark that it is left alone", () => {
    const { changes, lines } = diff({}, { ...state, phase: "lost", diskPath: "/d/a.qcow2" });
    assert.equal(changes, true);
    assert.deepEqual(lines, ["its disk /d/a.qcow2 is gone: it is made again, nothing is left of its data"]);
    assert.match(diff({}, { ...state, phase: "unmarked" }).lines[0] ?? "", /the update leaves it alone, and fails/);
  });

  it("never shows a password", () => {
    const { lines } = diff({ password: "$2b$new" }, { ...state, password: "$2b$old" });
    assert.match(lines[0] ?? "", /^password changes/);
    assert.equal(lines.join().includes("$2b$"), false);
  });

  it("tells what this version cannot change", () => {
    assert.deepEqual(unsupportedChanges(["memory", "hostname", "iso", "network", "shares", "settled"]), ["settled"]);
  });
});
