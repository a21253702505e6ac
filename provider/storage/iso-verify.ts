/** Checksums and signatures. A file is read once for both. */
import { createHash } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { cancelledBy, VmsError } from "../errors.js";
import type { Context } from "../context.js";
import type { FileState } from "./iso-index.js";
import { fileState } from "./iso-index.js";
import { reportAmount } from "./iso-progress.js";

/** A key that signatures are checked against: an armoured public key, and the fingerprint that it must have. */
export interface TrustedKey {
  readonly file: string;
  /** In hexadecimal digits; spaces do not count. */
  readonly fingerprint: string;
}

export interface Digest {
  readonly sha256: string;
  /** The file's state from before it was read. */
  readonly state: FileState;
}

/** SHA-256 of a file, in lower-case hexadecimal. */
export async function hashIso(path: string, context: Context): Promise<Digest> {
  return readThrough(path, context, async (bytes, sha256) => {
    for await (const chunk of bytes) sha256(chunk);
  });
}

/**
 * SHA-256 of a file, after a detached OpenPGP signature over it was found to be made by the key.
 * Throws VmsError (checksum) where it is not, or where the signature or the key cannot be understood.
 */
export async function hashSignedIso(
  path: string,
  signature: Uint8Array,
  trusted: TrustedKey,
  context: Context,
): Promise<Digest> {
  const openpgp = await import("openpgp"); // 50 ms, which previews need not spend
  const verificationKeys = await readTrustedKey(trusted);
  const parsed = await openpgp.readSignature({ binarySignature: signature }).catch((error: unknown) => {
    throw new VmsError("checksum", "what should be its OpenPGP signature is none", { cause: error });
  });
  return readThrough(path, context, async (bytes, sha256) => {
    const message = await openpgp.createMessage({ binary: teeInto(bytes, sha256) });
    const result = await openpgp.verify({
      message,
      signature: parsed,
      verificationKeys,
      format: "binary",
    });
    const data: unknown = result.data;
    await drain(data as ReadableStream<Uint8Array>);
    try {
      await Promise.any(result.signatures.map(({ verified }) => verified));
    } catch (error) {
      const signers = result.signatures.map(({ keyID }) => keyID.toHex().toUpperCase()).join(", ");
      throw new VmsError("checksum", badSignature(signers, trusted, error), { cause: error });
    }
  });
}

/** The checksum of the file called `name` in the text of a sha256sums.txt. */
export function findChecksum(sums: string, name: string): string | undefined {
  for (const line of sums.split(/\r?\n/)) {
    const [, sum, file] = /^([0-9a-f]{64}) [ *](?:\.\/)?(.+)$/i.exec(line) ?? [];
    if (file === name) return sum?.toLowerCase();
  }
  return undefined;
}

async function readTrustedKey({ file, fingerprint }: TrustedKey): Promise<import("openpgp").PublicKey> {
  const openpgp = await import("openpgp");
  const key = await openpgp.readKey({ armoredKey: await readFile(file, "utf8") });
  const wanted = fingerprint.replaceAll(" ", "").toLowerCase();
  if (key.getFingerprint() === wanted) return key.toPublic();
  throw new VmsError("checksum", `${file} holds the key ${key.getFingerprint()}, not ${wanted}`, {
    hint: "Install this package again",
  });
}

function badSignature(signers: string, { fingerprint }: TrustedKey, error: unknown): string {
  const reasons =
    error instanceof AggregateError ? error.errors.map((each) => (each as Error).message) : [String(error)];
  const expected = `expected a signature by ${fingerprint}, got one by ${signers === "" ? "nobody" : signers}`;
  return `its signature is wrong: ${expected} (${reasons.join("; ")})`;
}

type Take = (chunk: Uint8Array) => void;

async function readThrough(
  path: string,
  context: Context,
  work: (bytes: AsyncIterable<Uint8Array>, sha256: Take) => Promise<void>,
): Promise<Digest> {
  const file = await open(path, "r");
  try {
    const state = await fileState(file);
    const report = reportAmount(context, "checking the ISO", Number(state.size));
    const hash = createHash("sha256");
    let done = 0;
    // createReadStream's own `signal` would lose the reason of the abort.
    const bytes = file.createReadStream({ highWaterMark: 1024 ** 2, autoClose: false }) as AsyncIterable<Uint8Array>;
    await work(bytes, (chunk) => {
      if (context.signal?.aborted === true) throw cancelledBy(context.signal.reason);
      hash.update(chunk);
      report((done += chunk.length));
    });
    return { sha256: hash.digest("hex"), state };
  } finally {
    await file.close();
  }
}

/** A web stream of `bytes` that shows each chunk to `take` as it passes. */
function teeInto(bytes: AsyncIterable<Uint8Array>, take: Take): ReadableStream<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) {
        controller.close();
        return;
      }
      take(next.value);
      controller.enqueue(next.value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** The library moves data only as fast as it is read here; its stream cannot be iterated with `for await`. */
async function drain(data: ReadableStream<Uint8Array>): Promise<void> {
  const reader = data.getReader();
  for (let done = false; !done;) ({ done } = await reader.read());
}
