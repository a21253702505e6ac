import assert from "node:assert/strict";
import { formatSize, parseSize } from "../../../provider/storage/size.js";

describe("sizes", () => {
  for (const [text, bytes] of [
    ["20G", 20 * 1024 ** 3],
    ["20GB", 20 * 1024 ** 3],
    ["20GiB", 20 * 1024 ** 3],
    ["20 GiB", 20 * 1024 ** 3],
    ["1k", 1024],
    ["512M", 512 * 1024 ** 2],
    ["2T", 2 * 1024 ** 4],
    ["8191T", 8191 * 1024 ** 4],
  ] as const) {
    it(`reads ${text} as ${bytes} bytes`, () => {
      assert.equal(parseSize(text), bytes);
    });
  }

  for (const [text, reason] of [
    ["20", /"20" is not a size: it has no unit; write 20G for 20 GiB, or 20M/],
    ["1.5G", /whole number; write 1536M instead of 1\.5G/],
    ["1,5G", /whole number/],
    ["-20G", /must not be negative/],
    ["0G", /more than nothing/],
    ["", /"" is not a size: write a whole number and one of the units/],
    ["big", /write a whole number/],
    ["20X", /one of the units K, M, G, T/],
    ["20G; rm", /write a whole number/],
    ["20G\n", /write a whole number/],
    [" 20G", /write a whole number/],
    ["8192T", /too large/],
    ["99999999999999999999G", /too large/],
  ] as const) {
    it(`refuses ${JSON.stringify(text)} with a sentence`, () => {
      assert.throws(() => parseSize(text), { code: "input", message: reason });
    });
  }

  it("writes sizes for people in the largest unit that they fill", () => {
    const written = [0, 512, 1024, 1536, 20 * 1024 ** 3, 1024 ** 4, 1289748480].map(formatSize);
    assert.deepEqual(written, ["0 bytes", "512 bytes", "1 KiB", "1.5 KiB", "20 GiB", "1 TiB", "1.2 GiB"]);
  });

  it("reads back what it writes, where that is a whole number of the unit", () => {
    for (const text of ["1 KiB", "7 MiB", "20 GiB", "3 TiB"]) assert.equal(formatSize(parseSize(text)), text);
  });
});
