import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type PrivateKey, createMessage, generateKey, sign } from "openpgp";
import type { Iso } from "../../../provider/storage/iso.js";
import type { Patience } from "../../../provider/storage/iso-http.js";
import { type Release, archRelease, ensureOfficialIso } from "../../../provider/storage/iso-official.js";
import { hashSignedIso } from "../../../provider/storage/iso-verify.js";
import { Mirror } from "./mirror.js";
import { type RecordedContext, recordedContext } from "./recorded-context.js";
import { makeIso, needPrograms } from "./small-iso.js";
import { useFolder } from "./temporary.js";

const hurried: Patience = { silence: 20, attempts: 3, pause: 0.01 };
const sumOf = (content: Buffer): string => createHash("sha256").update(content).digest("hex");

async function makeKey(): Promise<PrivateKey> {
  const keys = await generateKey({
    type: "ecc",
    curve: "ed25519Legacy", // the kind of the real one
    userIDs: [{ name: "A test" }],
    format: "object",
  });
  return keys.privateKey;
}

async function signatureOf(content: Buffer, signingKeys: PrivateKey): Promise<Buffer> {
  const message = await createMessage({ binary: new Uint8Array(content) });
  const signed: unknown = await sign({ message, signingKeys, detached: true, format: "binary" });
  return Buffer.from(signed as Uint8Array);
}

describe("the official ISO", () => {
  const folder = useFolder();
  let iso: Buffer;
  let newer: Buffer;
  let key: PrivateKey;
  let mirror: Mirror;
  let release: Release;
  let context: RecordedContext;

  before(async function () {
    needPrograms(this, "xorriso");
    [iso, newer] = [makeIso(), makeIso({ "arch/newer": "newer" })];
    key = await makeKey();
  });
  beforeEach(async () => {
    mirror = await Mirror.start();
    await publish(iso);
    const file = join(folder(), "key.asc");
    writeFileSync(file, key.toPublic().armor());
    release = { url: mirror.url("/latest/archlinux-x86_64.iso"), key: { file, fingerprint: key.getFingerprint() } };
    context = recordedContext(folder());
  });
  afterEach(() => mirror.stop());

  /** Makes the server offer `content`, as it should be. */
  async function publish(content: Buffer): Promise<void> {
    mirror.files.set("/latest/archlinux-x86_64.iso", content);
    mirror.files.set("/latest/archlinux-x86_64.iso.sig", await signatureOf(content, key));
    mirror.files.set("/latest/sha256sums.txt", Buffer.from(`${sumOf(content)}  archlinux-x86_64.iso\n`));
  }

  const target = (): string => join(folder(), "iso", "archlinux-x86_64.iso");
  const ensure = (): Promise<Iso> => ensureOfficialIso(release, context, hurried);
  const kept = (): string[] =>
    readdirSync(join(folder(), "iso"))
      .filter((name) => name !== "index.json")
      .sort();
  function assertPublished(found: Iso): void {
    assert.deepEqual(found, { path: target(), sha256: sumOf(iso) });
    assert.ok(readFileSync(target()).equals(iso));
    assert.deepEqual(kept(), ["archlinux-x86_64.iso", "archlinux-x86_64.iso.sig", "sha256sums.txt"]);
  }
  async function assertRefused(code: string, message: RegExp): Promise<void> {
    await assert.rejects(ensure(), { code, message });
    assert.deepEqual(kept(), []);
  }

  it("is taken when checksum and signature hold, and both stay beside it", async () => {
    assertPublished(await ensure());
    assert.deepEqual(readFileSync(`${target()}.sig`), mirror.files.get("/latest/archlinux-x86_64.iso.sig"));
  });

  it("is used again without the network and without being read, even where there is a newer one", async () => {
    await ensure();
    await publish(newer);
    const before = mirror.requests.length;
    context = recordedContext(folder());
    assertPublished(await ensure());
    assert.equal(mirror.requests.length, before);
    assert.deepEqual(context.details, []);
  });

  it("is verified by what lies beside it, without the network, when it is not remembered", async () => {
    await ensure();
    rmSync(join(folder(), "iso", "index.json"));
    await mirror.stop();
    assertPublished(await ensure());
  });

  it("is refused with a wrong checksum, even if it is signed", async () => {
    mirror.files.set("/latest/sha256sums.txt", Buffer.from(`${"0".repeat(64)}  archlinux-x86_64.iso\n`));
    await assertRefused("checksum", new RegExp(`expected ${"0".repeat(64)}, got ${sumOf(iso)}`));
  });

  it("is refused when somebody else signed it, even if its checksum holds", async () => {
    const other = await makeKey();
    mirror.files.set("/latest/archlinux-x86_64.iso.sig", await signatureOf(iso, other));
    const by = other.getKeyID().toHex().toUpperCase();
    await assertRefused("checksum", new RegExp(`expected a signature by ${key.getFingerprint()}, got one by ${by}`));
  });

  it("is refused when the signature is over something else, even if its checksum holds", async () => {
    mirror.files.set("/latest/archlinux-x86_64.iso.sig", await signatureOf(newer, key));
    await assertRefused("checksum", /its signature is wrong/);
  });

  it("is refused when the signature is none, empty or not there", async () => {
    mirror.files.set("/latest/archlinux-x86_64.iso.sig", Buffer.from("<html>not found</html>"));
    await assertRefused("checksum", /OpenPGP signature/);
    mirror.files.set("/latest/archlinux-x86_64.iso.sig", Buffer.alloc(0));
    await assertRefused("checksum", /signature/);
    mirror.files.delete("/latest/archlinux-x86_64.iso.sig");
    await assertRefused("gone", /archlinux-x86_64\.iso\.sig: the server answered with status 404/);
  });

  it("is refused when no checksum of it is listed", async () => {
    mirror.files.set("/latest/sha256sums.txt", Buffer.from(`${sumOf(iso)}  other.iso\n`));
    await assertRefused("checksum", /has no checksum of archlinux-x86_64\.iso/);
  });

  it("is taken from a user's own copy when that one verifies", async () => {
    await ensure();
    for (const name of ["index.json", "archlinux-x86_64.iso.sig", "sha256sums.txt"])
      rmSync(join(folder(), "iso", name));
    assertPublished(await ensure());
    assert.equal(mirror.asked("/latest/archlinux-x86_64.iso").length, 1);
  });

  it("never takes the place of a file of that name that is somebody else's", async () => {
    await ensure();
    rmSync(target());
    writeFileSync(target(), newer);
    await assert.rejects(ensure(), {
      code: "foreign",
      message: /archlinux-x86_64\.iso is there, and is not the official ISO: its signature is wrong.*\n.*Move it away/,
    });
    assert.ok(readFileSync(target()).equals(newer));
  });

  it("never takes the place of a list of checksums that is about something else", async () => {
    await ensure();
    rmSync(target());
    const list = join(folder(), "iso", "sha256sums.txt");
    writeFileSync(list, "mine");
    await assert.rejects(ensure(), { code: "foreign", message: /sha256sums\.txt is there/ });
    assert.equal(readFileSync(list, "utf8"), "mine");
  });

  it("is fetched again when our own has been damaged since, which is said", async () => {
    await ensure();
    const damaged = Buffer.from(iso);
    damaged.fill(0, 100_000, 200_000);
    writeFileSync(target(), damaged);
    assertPublished(await ensure());
    assert.match(context.notices.join("\n"), /is damaged \(its signature is wrong.*: it is removed and fetched again/);
  });

  it("stops being checked when the user cancels", async () => {
    await ensure();
    rmSync(join(folder(), "iso", "index.json"));
    context = recordedContext(folder(), AbortSignal.abort());
    await assert.rejects(ensure(), { code: "cancelled" });
  });

  it("is checked against the key that this package ships, by its fingerprint", async () => {
    const path = join(folder(), "signed");
    writeFileSync(path, "content");
    const signature = await signatureOf(Buffer.from("content"), key);
    await assert.rejects(hashSignedIso(path, signature, archRelease.key, context), {
      code: "checksum",
      message: /expected a signature by 3E80 CA1A 8B89 F69C BA57 D98A 76A5 EF90 5444 9A5C, got one by [0-9A-F]{16}/,
    });
    const swapped = { ...archRelease.key, file: release.key.file };
    await assert.rejects(hashSignedIso(path, signature, swapped, context), {
      message: /holds the key [0-9a-f]{40}, not 3e80ca1a8b89f69cba57d98a76a5ef9054449a5c/,
    });
    const { sha256 } = await hashSignedIso(path, signature, release.key, context);
    assert.equal(sha256, sumOf(Buffer.from("content")));
  });
});
