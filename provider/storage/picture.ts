/** A picture of a display as a PNG, whatever qemu made it in: before 7.1 that was a PPM. */
import { crc32, deflateSync } from "node:zlib";
import { VmsError } from "../errors.js";

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export const isPng = (bytes: Buffer): boolean => bytes.subarray(0, signature.length).equals(signature);

/** Throws VmsError (unsupported) where it is neither a PNG nor a PPM of 8 bits a colour. */
export function toPng(bytes: Buffer): Buffer {
  if (isPng(bytes)) return bytes;
  const header = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(bytes.subarray(0, 64).toString("latin1"));
  const [width, height] = [Number(header?.[1]), Number(header?.[2])];
  const start = header?.[0].length ?? 0;
  if (header === null || bytes.length < start + width * height * 3)
    throw new VmsError("unsupported", "qemu gave a picture that is neither a PNG nor a PPM");
  return encode(width, height, bytes.subarray(start));
}

/** RGB, 8 bits a colour (https://www.w3.org/TR/png). */
function encode(width: number, height: number, pixels: Buffer): Buffer {
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size.set([8, 2, 0, 0, 0], 8);
  // Before each row stands how it is filtered: not at all.
  const rows = Buffer.alloc(height * (width * 3 + 1));
  for (let row = 0; row < height; row += 1)
    pixels.copy(rows, row * (width * 3 + 1) + 1, row * width * 3, (row + 1) * width * 3);
  return Buffer.concat([
    signature,
    chunk("IHDR", size),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}
