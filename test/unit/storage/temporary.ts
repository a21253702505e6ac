/** Folders for tests: made before each test of a suite, gone after it. A small one is a file system that fills up. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Call it in a `describe`; what it returns gives the current test's folder. */
export function useFolder(): () => string {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vms-test-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return () => folder;
}

/** A file system in memory of so many KiB on `folder`; the test is skipped where we may not mount one. */
export async function withSmallDisk(
  test: Mocha.Context,
  folder: string,
  kib: number,
  work: () => Promise<void>,
): Promise<void> {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kib}k`, "tmpfs", folder], { stdio: "pipe" });
  } catch (error) {
    if (process.getuid?.() === 0) throw error;
    test.skip(); // only root may mount
  }
  try {
    await work();
  } finally {
    execFileSync("umount", [folder]);
  }
}
