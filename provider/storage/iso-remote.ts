/** An ISO that a user names by URL. Its file bears the checksum in its name, so that two URLs never share one. */
import { rm } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Context } from "../context.js";
import { VmsError, hasCode } from "../errors.js";
import { exists } from "../host/existence.js";
import { withLock } from "../host/lock.js";
import { persist } from "./iso-download.js";
import { fetchVerified, wrongChecksum } from "./iso-fetch.js";
import { type Patience, getSmall } from "./iso-http.js";
import { makeIsoDirectory, recallIso, recallUrl, rememberIso, rememberUrl } from "./iso-index.js";
import type { Iso } from "./iso-input.js";
import { findChecksum, hashIso } from "./iso-verify.js";

export interface RemoteIso {
  readonly url: string;
  /** In lower case. Where it is not given, sha256sums.txt beside the ISO says it, once: what came then is kept. */
  readonly sha256?: string;
}

export async function ensureRemoteIso({ url, sha256 }: RemoteIso, context: Context, patience: Patience): Promise<Iso> {
  const earlier = sha256 === undefined ? await findEarlier(url, context) : undefined;
  if (earlier !== undefined) return earlier;
  await makeIsoDirectory(context);
  const expected = sha256 ?? (await fetchChecksum(url, context, patience));
  const target = join(context.settings.iso, fileNameOf(url, expected));
  const iso = { path: target, sha256: expected };
  if ((await recallIso(context, target))?.sha256 !== expected) {
    await withIsoLock(target, context, () => obtain(url, iso, context, patience));
  }
  if (sha256 === undefined) await rememberUrl(context, url, target);
  return iso;
}

/** One process at a time works on an ISO; others wait and say so. */
export function withIsoLock<T>(target: string, context: Context, work: () => Promise<T>): Promise<T> {
  const onWait = (): void => context.progress.phase(`waiting for another process that works on ${target}`);
  return withLock(`${target}.lock`, work, { signal: context.signal, onWait });
}

export function nameInUrl(url: string): string {
  return decodeURIComponent(basename(new URL(url).pathname));
}

/** What an earlier call fetched from there. */
export async function findEarlier(url: string, context: Context): Promise<Iso | undefined> {
  const path = await recallUrl(context, url);
  const known = path === undefined ? undefined : await recallIso(context, path);
  return path === undefined || known === undefined ? undefined : { path, sha256: known.sha256 };
}

async function fetchChecksum(url: string, context: Context, patience: Patience): Promise<string> {
  const list = new URL("sha256sums.txt", url).href;
  const hint = `Give the checksum too: iso: { url: ${JSON.stringify(url)}, sha256: "..." }`;
  const none = async (): Promise<number> => 0;
  const sums = await persist(context, patience, none, () => getSmall(list, patience.silence, context.signal)).catch(
    (error: unknown) => {
      if (!hasCode(error, "gone")) throw error;
      throw new VmsError("input", `no checksum is given, and there is no ${list}`, { hint, cause: error });
    },
  );
  const found = findChecksum(sums.toString(), nameInUrl(url));
  if (found === undefined) {
    throw new VmsError("input", `no checksum is given, and ${list} has none of ${nameInUrl(url)}`, { hint });
  }
  return found;
}

/** `arch.iso` becomes `arch-0123456789ab.iso`. */
function fileNameOf(url: string, sha256: string): string {
  const safe = nameInUrl(url).replaceAll(/[^A-Za-z0-9._-]/g, "_");
  const extension = extname(safe);
  const stem = basename(safe, extension).slice(0, 100);
  return `${stem}-${sha256.slice(0, 12)}${extension.slice(0, 20)}`;
}

/** Looks again, now that nobody else is at it; what is there under this name and is not what it says is ours, and damaged. */
async function obtain(url: string, iso: Iso, context: Context, patience: Patience): Promise<void> {
  if ((await recallIso(context, iso.path))?.sha256 === iso.sha256) return;
  if (await exists(iso.path)) {
    context.progress.phase("checking the ISO");
    const { sha256, state } = await hashIso(iso.path, context);
    if (sha256 === iso.sha256) return rememberIso(context, iso.path, state, { sha256 });
    const damaged = wrongChecksum(iso.sha256, sha256, iso.path);
    context.progress.notice(`${damaged.reason}: it is removed and fetched again`);
    await rm(iso.path);
  }
  const digest = (path: string): ReturnType<typeof hashIso> => hashIso(path, context);
  const { sha256, state } = await fetchVerified(
    { url, target: iso.path, sha256: iso.sha256, digest },
    context,
    patience,
  );
  await rememberIso(context, iso.path, state, { sha256 });
}
