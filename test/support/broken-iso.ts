/** Installation media that go wrong, made from one that works. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function truncatedIso(iso: string, target: string): void {
  copyFileSync(iso, target);
  truncateSync(target, 20 * 1024 * 1024);
}

/** Its kernel is none: the firmware finds nothing to boot and waits. */
export function isoWithoutKernel(iso: string, target: string, scratch: string): void {
  const kernel = join(scratch, "no-kernel");
  writeFileSync(kernel, Buffer.alloc(1024 * 1024, "not a kernel "));
  replaceIn(iso, target, kernel, "/arch/boot/x86_64/vmlinuz-linux");
}

/** It says `login:` and then nothing more: another /init, in an archive behind the initramfs, which the kernel unpacks over the first. */
export function isoWithoutShell(iso: string, target: string, scratch: string): void {
  const [folder, inside] = [join(scratch, "init-that-hangs"), "/arch/boot/x86_64/initramfs-linux.img"];
  mkdirSync(folder, { recursive: true });
  const script = "#!/usr/bin/busybox sh\nwhile :; do echo 'archiso login: '; /usr/bin/busybox sleep 5; done\n";
  writeFileSync(join(folder, "init"), script, { mode: 0o755 });
  const original = execFileSync("bsdtar", ["-xOf", iso, inside.slice(1)], { maxBuffer: 2 ** 30 });
  const archive = execFileSync("bsdtar", ["--format", "newc", "-cf", "-", "-C", folder, "init"]);
  // The kernel looks for the next archive at a multiple of four bytes.
  const padding = Buffer.alloc((4 - (original.length % 4)) % 4);
  const initramfs = join(scratch, "initramfs");
  writeFileSync(initramfs, Buffer.concat([original, padding, archive]));
  replaceIn(iso, target, initramfs, inside);
}

function replaceIn(iso: string, target: string, file: string, inside: string): void {
  execFileSync(
    "xorriso",
    ["-indev", iso, "-outdev", target, "-boot_image", "any", "keep", "-rm", inside, "--", "-map", file, inside],
    { stdio: "ignore" },
  );
  if (readFileSync(target).length === 0) throw new Error(`${target} is empty`);
}
