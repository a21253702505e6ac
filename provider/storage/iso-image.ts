/** Whether a file is an ISO 9660 image and is whole, by its primary volume descriptor (ECMA-119, 8.4). */
import { open, type FileHandle } from "node:fs/promises";
import { VmsError } from "../errors.js";
import { formatSize } from "./size.js";

const sector = 2048;
/** The first 16 sectors belong to the system; the descriptors follow, the primary one first. */
const descriptorOffset = 16 * sector;
const volumeBlocksAt = 80;
const blockSizeAt = 128;

/** Throws VmsError (checksum) where it is no ISO or not all of it is there. */
export async function checkIsoImage(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const descriptor = await readDescriptor(file);
    const volume = descriptor.readUInt32LE(volumeBlocksAt) * descriptor.readUInt16LE(blockSizeAt);
    if (size >= volume) return;
    throw new VmsError("checksum", `it is truncated: ${formatSize(size)} of ${formatSize(volume)} are there`, {
      hint: "Fetch it again",
    });
  } finally {
    await file.close();
  }
}

async function readDescriptor(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sector), 0, sector, descriptorOffset);
  const primary = bytesRead === sector && buffer.readUInt8(0) === 1 && buffer.toString("latin1", 1, 6) === "CD001";
  if (primary) return buffer;
  throw new VmsError("checksum", "it is not an ISO 9660 image, or only its very beginning", {
    hint: "Give an Arch Linux installation ISO",
  });
}
