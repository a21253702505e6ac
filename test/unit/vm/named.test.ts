import assert from "node:assert/strict";
import { closeNames } from "../../../provider/vm/named.js";

describe("the names that are close to one that was typed", () => {
  const names = ["web", "web-test", "work", "database"];
  for (const [typed, close] of [
    ["wbe", ["web"]],
    ["xyz", []],
    ["wev", ["web"]],
    ["wrok", ["work"]],
    ["web-tset", ["web-test"]],
    ["databse", ["database"]],
    ["we", ["web", "web-test"]],
    ["mail", []],
  ] as const) {
    it(`"${typed}": ${close.join(", ") || "none"}`, () => assert.deepEqual(closeNames(typed, names), close));
  }

  it("are the closest ones, three at most", () => {
    assert.deepEqual(closeNames("vm-12x", ["vm-34x", "vm-13y", "vm-12"]), ["vm-12"]);
    assert.deepEqual(closeNames("vm-12", ["vm-05", "vm-42", "vm-32", "vm-22", "vm-13"]), ["vm-13", "vm-22", "vm-32"]);
  });
});
