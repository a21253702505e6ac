import assert from "node:assert/strict";
import { changedSettings, revise } from "../../../provider/vm/guest-settings.js";

describe("the revision of a guest's settings", () => {
  const first = revise({ "vms.hostname": "one", "vms.user": "user" });

  it("has a later number with each change, also back to what it was", () => {
    assert.match(first["vms.revision"] ?? "", /^1\.[0-9a-f]{16}$/);
    const second = revise({ "vms.hostname": "two", "vms.user": "user" }, first);
    const third = revise({ "vms.user": "user", "vms.hostname": "one" }, second);
    assert.match(second["vms.revision"] ?? "", /^2\./);
    assert.match(third["vms.revision"] ?? "", /^3\./);
    const hashes = [first, second, third].map((settings) => settings["vms.revision"]?.split(".")[1]);
    assert.equal(hashes[0], hashes[2], "the order does not matter");
    assert.notEqual(hashes[0], hashes[1]);
  });

  it("begins anew where the one before is none", () => {
    assert.match(revise({}, { "vms.revision": "x" })["vms.revision"] ?? "", /^1\./);
  });

  it("is no setting itself", () => {
    assert.deepEqual(changedSettings(first, { "vms.hostname": "two", "vms.locale": "C.UTF-8" }).sort(), [
      "hostname",
      "locale",
      "user",
    ]);
    assert.deepEqual(changedSettings(first, { ...first, "vms.revision": "9.aa" }), []);
  });
});
