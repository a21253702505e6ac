import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ensureIso } from "../../../provider/storage/iso.js";
import { extractBootFiles } from "../../../provider/storage/iso-boot.js";
import { recordedContext } from "./recorded-context.js";
import { archFiles, isoUuid, makeIso, needPrograms } from "./small-iso.js";
import { useFolder, withSmallDisk } from "./temporary.js";

describe("the boot files of an ISO", () => {
  const folder = useFolder();

  before(function () {
    needPrograms(this, "xorriso", "bsdtar");
  });

  async function boot(iso: Buffer): ReturnType<typeof extractBootFiles> {
    const path = join(folder(), "arch.iso");
    writeFileSync(path, iso);
    const context = recordedContext(folder());
    return extractBootFiles(await ensureIso(path, context), context);
  }

  it("are the kernel, the initramfs and the UUID, readable by everybody whatever the umask is", async () => {
    const umask = process.umask(0o077);
    try {
      const { kernel, initramfs, uuid } = await boot(makeIso());
      assert.equal(readFileSync(kernel, "utf8"), "the kernel");
      assert.equal(readFileSync(initramfs, "utf8"), "the initramfs");
      assert.equal(uuid, isoUuid);
      assert.deepEqual(
        [kernel, initramfs, join(kernel, ".."), join(kernel, "../.."), join(kernel, "../../..")].map(
          (path) => statSync(path).mode & 0o777,
        ),
        [0o644, 0o644, 0o755, 0o755, 0o755],
      );
    } finally {
      process.umask(umask);
    }
  });

  it("are found again, without the ISO", async () => {
    const iso = makeIso();
    const first = await boot(iso);
    const before = statSync(first.kernel).ino;
    const context = recordedContext(folder());
    const known = await ensureIso(join(folder(), "arch.iso"), context);
    rmSync(known.path);
    assert.deepEqual(await extractBootFiles(known, context), first);
    assert.equal(statSync(first.kernel).ino, before);
  });

  it("are taken out once when two ask at the same time, and what a killed process left is cleared away", async () => {
    const path = join(folder(), "arch.iso");
    writeFileSync(path, makeIso());
    const context = recordedContext(folder());
    const iso = await ensureIso(path, context);
    const left = join(folder(), "iso", "boot", `${iso.sha256.slice(0, 16)}.tmp`);
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, "vmlinuz-linux"), "half a ker");
    const [one, two] = await Promise.all([extractBootFiles(iso, context), extractBootFiles(iso, context)]);
    assert.deepEqual(one, two);
    assert.equal(readFileSync(one.kernel, "utf8"), "the kernel");
    assert.ok(!existsSync(left));
  });

  it("are missed by name in an ISO that is not Arch's", async () => {
    await assert.rejects(boot(makeIso({ "casper/vmlinuz": "another kernel" })), {
      code: "input",
      message:
        /Cannot boot ISO ".*arch\.iso": it is not an Arch Linux installation ISO: it lacks \/arch\/boot\/x86_64\/vmlinuz-linux, \/arch\/boot\/x86_64\/initramfs-linux\.img, \/boot\/<date>\.uuid/,
    });
    const noKernel = makeIso(archFiles, (root) => rmSync(join(root, "arch/boot/x86_64/vmlinuz-linux")));
    await assert.rejects(boot(noKernel), { message: /it lacks \/arch\/boot\/x86_64\/vmlinuz-linux\n/ });
    const twice = { ...archFiles, "boot/2024-01-02-03-04-05-00.uuid": "" };
    await assert.rejects(boot(makeIso(twice)), { message: /it lacks a single \/boot\/<date>\.uuid/ });
    const strange = { ...archFiles, "boot/x y=z.uuid": "" };
    assert.equal((await boot(makeIso(strange))).uuid, isoUuid);
  });

  it("are refused where one is a link, and what it points at is left alone", async () => {
    const victim = join(folder(), "victim");
    writeFileSync(victim, "private");
    chmodSync(victim, 0o600);
    const iso = makeIso(archFiles, (root) => {
      const kernel = join(root, "arch/boot/x86_64/vmlinuz-linux");
      rmSync(kernel);
      symlinkSync(victim, kernel);
    });
    await assert.rejects(boot(iso), { message: /ELOOP/ });
    assert.equal(statSync(victim).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(folder(), "iso", "boot")), []);
  });

  it("leave nothing half behind on a full disk, which is said", async function () {
    const large = { ...archFiles, "arch/boot/x86_64/initramfs-linux.img": Buffer.alloc(2 * 1024 ** 2, 1) };
    const directory = join(folder(), "iso");
    mkdirSync(directory);
    await withSmallDisk(this, directory, 1024, async () => {
      await assert.rejects(boot(makeIso(large)), {
        code: "requirement",
        message: /Cannot boot ISO ".*": no space left in .*iso: .* free/,
      });
      const left = execFileSync("ls", [join(directory, "boot")]).toString();
      assert.equal(left, "");
    });
  });
});
