import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import { hasCode } from "../../../provider/errors.js";
import { isPng, toPng } from "../../../provider/storage/picture.js";

describe("a picture of a display", () => {
  const pixels = Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const ppm = Buffer.concat([Buffer.from("P6\n3 2\n255\n"), pixels]);

  it("that is a PPM becomes a PNG with the same pixels", () => {
    const png = toPng(ppm);
    assert.ok(isPng(png));
    const at = png.indexOf("IDAT");
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [3, 2]);
    const rows = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
    assert.deepEqual(
      rows,
      Buffer.concat([Buffer.from([0]), pixels.subarray(0, 9), Buffer.from([0]), pixels.subarray(9)]),
    );
    // The check sum of the last chunk, which has no data, is the same in every PNG.
    assert.equal(png.subarray(-4).toString("hex"), "ae426082");
  });

  it("that is a PNG stays as it is", () => {
    const png = toPng(ppm);
    assert.equal(toPng(png), png);
  });

  for (const [what, bytes] of [
    ["nothing", Buffer.alloc(0)],
    ["something else", Buffer.from("GIF89a")],
    ["a part of one", ppm.subarray(0, -1)],
  ] as const) {
    it(`that is ${what} is refused`, () =>
      assert.throws(
        () => toPng(bytes),
        (error) => hasCode(error, "unsupported"),
      ));
  }
});
