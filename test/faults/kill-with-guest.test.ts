/** Each operation that needs a guest is killed behind each of its steps, and then run again. It takes hours under emulation. */
import assert from "node:assert/strict";
import { withGuest } from "../support/interruptible-guest.js";
import { needsGuest } from "../support/interruptible.js";
import { testKills } from "../support/kills.js";
import { serveStandIn, type StandIn } from "../support/stand-in.js";
import { makeStore, type TestStore } from "../support/store.js";

describe("an operation with a guest that is killed, and run again", function () {
  // A step such as "step done" comes many times, and each is an install that is begun twice.
  this.timeout(4 * 60 * 60_000);
  let store: TestStore;
  let standIn: StandIn;

  before(async () => {
    standIn = await serveStandIn();
    process.env["VMS_TEST_ISO"] = standIn.iso;
    process.env["VMS_TEST_MIRROR"] = standIn.mirror;
    store = makeStore();
  });
  after(async () => {
    await store.remove();
    await standIn.close();
  });

  it("is killed behind every step that needs one", () => {
    const killedBehind = new Set(withGuest.flatMap((operation) => operation.steps));
    const missed = needsGuest.filter((step) => !killedBehind.has(step));
    assert.deepEqual(missed, []);
  });

  for (const operation of withGuest) testKills(operation, () => store);
});
