/** Real ISO 9660 images in archiso's form, small, made by xorriso. */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const isoUuid = "2025-01-02-03-04-05-00";

export const archFiles: Readonly<Record<string, string | Buffer>> = {
  "arch/boot/x86_64/vmlinuz-linux": "the kernel",
  "arch/boot/x86_64/initramfs-linux.img": "the initramfs",
  "arch/boot/x86_64/README": "no part of the boot",
  [`boot/${isoUuid}.uuid`]: "",
  "arch/x86_64/airootfs.sfs": randomBytes(4 * 1024 ** 2),
};

/** Skips the suite where a program is not installed. */
export function needPrograms(suite: Mocha.Context, ...programs: string[]): void {
  const missing = programs.filter((program) => spawnSync(program, ["--version"]).error !== undefined);
  if (missing.length === 0) return;
  console.log(`      skipped: not installed: ${missing.join(", ")}`);
  suite.skip();
}

/** `prepare` may change the tree before it is made into an ISO. */
export function makeIso(
  files: Readonly<Record<string, string | Buffer>> = archFiles,
  prepare: (root: string) => void = () => undefined,
): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "vms-test-iso-"));
  try {
    const root = join(folder, "root");
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(root, dirname(name)), { recursive: true });
      writeFileSync(join(root, name), content, { mode: 0o600 });
    }
    prepare(root);
    const image = join(folder, "image.iso");
    const argv = ["-as", "mkisofs", "-quiet", "-r", "-V", "ARCH_202501", "-o", image, root];
    execFileSync("xorriso", argv, { stdio: "pipe" });
    return readFileSync(image);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
