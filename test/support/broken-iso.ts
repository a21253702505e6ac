/** Installation media that go wrong, made from one that works. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export function truncatedIso(iso: string, target: string): void {
  copyFileSync(iso, target);
  truncateSync(target, 20 * 1024 * 1024);
}

/** It boots, says nothing, and waits for ever. */
export function isoWithoutLogin(iso: string, target: string, scratch: string): void {
  replaceInit(iso, target, scratch, "while :; do /usr/bin/busybox sleep 5; done");
}

/** It says `login:` and then nothing more. */
export function isoWithoutShell(iso: string, target: string, scratch: string): void {
  replaceInit(iso, target, scratch, "while :; do echo 'archiso login: '; /usr/bin/busybox sleep 5; done");
}

/** Another /init, in an archive behind the initramfs: the kernel unpacks it over the first. */
function replaceInit(iso: string, target: string, scratch: string, script: string): void {
  const [folder, inside] = [join(scratch, "init-that-hangs"), "/arch/boot/x86_64/initramfs-linux.img"];
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "init"), `#!/usr/bin/busybox sh\n${script}\n`, { mode: 0o755 });
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
