/** A disk's chain: its top file and all that it stands on. */
import { type ImageInfo, imageInfo } from "./qemu-img.js";

/** From the top file down, as the headers say. Throws VmsError where a file of it is missing or cannot be read. */
export async function backingChain(top: string): Promise<ImageInfo[]> {
  const chain: ImageInfo[] = [];
  for (let path: string | undefined = top; path !== undefined; path = chain.at(-1)?.backing) {
    // A running VM has its chain open, and so may another one that shares the lower files.
    chain.push(await imageInfo(path, { shared: true }));
  }
  return chain;
}
