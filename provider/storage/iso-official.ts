/**
 * The official ISO, with its signature and checksums beside it. It is used only when the checksum holds and the release
 * key's signature verifies. The one that is there and verifies is used again, without the network: a newer one is not taken
 * by itself.
 */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../context.js";
import { VmsError, hasCode, toVmsError } from "../errors.js";
import { exists } from "../host/existence.js";
import { packageFiles } from "../paths.js";
import { persist } from "./iso-download.js";
import { fetchVerified, wrongChecksum } from "./iso-fetch.js";
import { type Patience, getSmall } from "./iso-http.js";
import { makeIsoDirectory, recallIso, rememberIso, wasVerified } from "./iso-index.js";
import type { Iso } from "./iso-input.js";
import { nameInUrl, withIsoLock } from "./iso-remote.js";
import { type Digest, type TrustedKey, findChecksum, hashSignedIso } from "./iso-verify.js";
import { replaceFile } from "./replace-file.js";

export interface Release {
  /** Of the ISO; `.sig` is added for its signature, and sha256sums.txt lies beside it. */
  readonly url: string;
  readonly key: TrustedKey;
}

export const archRelease: Release = {
  url: "https://geo.mirror.pkgbuild.com/iso/latest/archlinux-x86_64.iso",
  key: {
    file: join(packageFiles.isoKeys, "arch-release.asc"),
    fingerprint: "3E80 CA1A 8B89 F69C BA57 D98A 76A5 EF90 5444 9A5C",
  },
};

/** What vouches for an ISO: both as they came from the server. */
interface Vouchers {
  readonly sums: Uint8Array;
  readonly signature: Uint8Array;
}

export async function ensureOfficialIso(release: Release, context: Context, patience: Patience): Promise<Iso> {
  const paths = pathsOf(release, context);
  const known = await recallVerified(release, context);
  if (known !== undefined) return known;
  await makeIsoDirectory(context);
  return withIsoLock(paths.iso, context, async () => {
    return (
      (await recallVerified(release, context)) ??
      (await adoptExisting(release, context, patience)) ??
      (await fetchOfficial(release, context, patience))
    );
  });
}

/** The ISO that was verified before and has not changed since. */
async function recallVerified(release: Release, context: Context): Promise<Iso | undefined> {
  const paths = pathsOf(release, context);
  const known = await recallIso(context, paths.iso);
  const complete = (await exists(paths.sums)) && (await exists(paths.signature));
  return complete && known?.signer === release.key.fingerprint ? { path: paths.iso, sha256: known.sha256 } : undefined;
}

/** The ISO under the final name, where it verifies; undefined where there is none, or ours was damaged and is removed. */
async function adoptExisting(release: Release, context: Context, patience: Patience): Promise<Iso | undefined> {
  const paths = pathsOf(release, context);
  if (!(await exists(paths.iso))) return undefined;
  context.progress.phase("checking the ISO");
  const own = await readVouchers(release, context);
  const vouchers = own ?? (await fetchVouchers(release, context, patience));
  try {
    const digest = await verify(release, vouchers, paths.iso, context);
    if (own === undefined) await publishVouchers(release, vouchers, context);
    return await remember(release, digest, context);
  } catch (error) {
    if (!hasCode(error, "checksum")) throw error;
    const { reason } = toVmsError(error);
    if (!(await wasVerified(context, paths.iso))) {
      throw new VmsError("foreign", `${paths.iso} is there, and is not the official ISO: ${reason}`, {
        hint: `Move it away, or use it as it is: iso: ${JSON.stringify(paths.iso)}`,
        cause: error,
      });
    }
    context.progress.notice(`${paths.iso} is damaged (${reason}): it is removed and fetched again`);
    await rm(paths.iso);
    return undefined;
  }
}

async function fetchOfficial(release: Release, context: Context, patience: Patience): Promise<Iso> {
  const { url } = release;
  const vouchers = await fetchVouchers(release, context, patience);
  const digest = (path: string): Promise<Digest> => hashSignedIso(path, vouchers.signature, release.key, context);
  const before = (): Promise<void> => publishVouchers(release, vouchers, context);
  const wanted = { url, target: pathsOf(release, context).iso, sha256: checksumIn(release, vouchers), digest, before };
  return remember(release, await fetchVerified(wanted, context, patience), context);
}

async function verify(release: Release, vouchers: Vouchers, path: string, context: Context): Promise<Digest> {
  const digest = await hashSignedIso(path, vouchers.signature, release.key, context);
  const expected = checksumIn(release, vouchers);
  if (digest.sha256 !== expected) throw wrongChecksum(expected, digest.sha256, path);
  return digest;
}

function checksumIn({ url }: Release, { sums }: Vouchers): string {
  const found = findChecksum(Buffer.from(sums).toString(), nameInUrl(url));
  if (found !== undefined) return found;
  throw new VmsError("checksum", `the sha256sums.txt beside ${url} has no checksum of ${nameInUrl(url)}`);
}

async function remember(release: Release, { sha256, state }: Digest, context: Context): Promise<Iso> {
  const path = pathsOf(release, context).iso;
  await rememberIso(context, path, state, { sha256, signer: release.key.fingerprint });
  return { path, sha256 };
}

async function fetchVouchers({ url }: Release, context: Context, patience: Patience): Promise<Vouchers> {
  const fetchSmall = (from: string): Promise<Buffer> =>
    persist(
      context,
      patience,
      async () => 0,
      () => getSmall(from, patience.silence, context.signal),
    );
  const sums = await fetchSmall(new URL("sha256sums.txt", url).href);
  return { sums, signature: await fetchSmall(`${url}.sig`) };
}

async function readVouchers(release: Release, context: Context): Promise<Vouchers | undefined> {
  const paths = pathsOf(release, context);
  if (!(await exists(paths.sums)) || !(await exists(paths.signature))) return undefined;
  return { sums: await readFile(paths.sums), signature: await readFile(paths.signature) };
}

/** Before the ISO bears its name, so that an ISO of ours is never without them. */
async function publishVouchers(release: Release, { sums, signature }: Vouchers, context: Context): Promise<void> {
  const paths = pathsOf(release, context);
  if (
    (await exists(paths.sums)) &&
    findChecksum(await readFile(paths.sums, "utf8"), nameInUrl(release.url)) === undefined
  ) {
    throw new VmsError("foreign", `${paths.sums} is there, and is not about the official ISO`, {
      hint: "Move it away",
    });
  }
  await replaceFile(paths.sums, sums);
  await replaceFile(paths.signature, signature);
}

function pathsOf({ url }: Release, { settings }: Context): { iso: string; signature: string; sums: string } {
  const iso = join(settings.iso, nameInUrl(url));
  return { iso, signature: `${iso}.sig`, sums: join(settings.iso, "sha256sums.txt") };
}
