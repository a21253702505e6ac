/** From a URL to a file under its final name, which only what was verified ever bears. */
import { chmod } from "node:fs/promises";
import type { Context } from "../context.js";
import { VmsError, hasCode } from "../errors.js";
import { discardPart, download } from "./iso-download.js";
import type { Patience } from "./iso-http.js";
import { checkIsoImage } from "./iso-image.js";
import type { Digest } from "./iso-verify.js";
import { renameDurably } from "./replace-file.js";

export interface Fetch {
  readonly url: string;
  /** The final path; what is incomplete lies beside it as `.part`. */
  readonly target: string;
  readonly sha256: string;
  /** Reads the file whole and throws VmsError (checksum) where anything but the SHA-256 is wrong with it. */
  readonly digest: (path: string) => Promise<Digest>;
  /** Done when the file has been verified, before it bears its name. */
  readonly before?: () => Promise<void>;
}

/** Call it under the target's lock. Throws VmsError (checksum) where the file is not what it should be; it is removed then. */
export async function fetchVerified(fetch: Fetch, context: Context, patience: Patience): Promise<Digest> {
  const part = `${fetch.target}.part`;
  context.progress.phase(`fetching the ISO from ${new URL(fetch.url).host}`);
  const { continued } = await download({ url: fetch.url, part, sha256: fetch.sha256 }, context, patience);
  try {
    const digest = await verify(fetch, part, context);
    await fetch.before?.();
    await chmod(part, 0o644);
    await renameDurably(part, fetch.target);
    await discardPart(part);
    return digest;
  } catch (error) {
    if (!hasCode(error, "checksum")) throw error;
    await discardPart(part);
    if (!continued) throw error;
    // What an earlier run had left may be what is wrong: a power failure can damage it.
    context.progress.notice(`${(error as VmsError).reason}: it is fetched again from the beginning`);
    return fetchVerified(fetch, context, patience);
  }
}

async function verify({ url, sha256, digest }: Fetch, part: string, context: Context): Promise<Digest> {
  context.progress.phase("checking the ISO");
  const got = await digest(part);
  if (got.sha256 !== sha256)
    throw wrongChecksum(sha256, got.sha256, `the file that ${url} served, which is removed again`);
  await checkIsoImage(part);
  return got;
}

export function wrongChecksum(expected: string, got: string, which: string): VmsError {
  return new VmsError("checksum", `wrong SHA-256: expected ${expected}, got ${got}, of ${which}`, {
    hint: "Run it again; when it stays so, the server has another file, or the checksum given is not the file's",
  });
}
