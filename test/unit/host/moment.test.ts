import assert from "node:assert/strict";
import { isAfter, now } from "../../../provider/host/moment.js";

describe("a moment", () => {
  it("is behind one that was taken before it, and not behind itself", async () => {
    const [first, second] = [await now(), await now()];
    assert.equal(isAfter(second, first), true);
    assert.equal(isAfter(first, second), false);
    assert.equal(isAfter(first, first), false);
  });

  it("is never known to be behind one of another boot, nor behind what is no moment", async () => {
    const [, nanoseconds] = (await now()).split(" ");
    assert.equal(isAfter(`${"0".repeat(36)} ${String(nanoseconds)}9`, await now()), false);
    for (const text of ["", "x", "a b", "1 -2"]) assert.equal(isAfter(text, text), false);
  });
});
