/** A host to probe: a directory that stands for its root, and a PATH on which only played programs are. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Host } from "../../../provider/host/requirement.js";
import { packageFiles } from "../../../provider/paths.js";

const fixtures = join(packageFiles.root, "test", "fixtures", "bin");

export class FakeHost {
  readonly root = mkdtempSync(join(tmpdir(), "vms-host-"));
  readonly host: Host;
  private readonly path = process.env["PATH"];

  constructor(over: Partial<Host> = {}) {
    for (const name of ["bin", "answers", "proc"]) mkdirSync(join(this.root, name));
    symlinkSync("/bin/bash", join(this.root, "bin", "bash"));
    process.env["PATH"] = join(this.root, "bin");
    process.env["FAKE_HOST"] = this.root;
    const settings = { images: "/images", iso: "/iso", filesystems: "/filesystems", pkgCache: "/cache" };
    this.host = { root: this.root, uid: 0, user: undefined, packages: [], settings, ...over };
  }

  /** Puts a program of test/fixtures/bin on PATH, under its own name or another. */
  install(fixture: string, ...names: string[]): this {
    for (const name of names.length === 0 ? [fixture] : names)
      symlinkSync(join(fixtures, fixture), join(this.root, "bin", name));
    return this;
  }

  /** `call` is a program's name, or the name with its arguments, which then wins. */
  answer(call: string, output: string, status = 0): this {
    const name = call.split(" ")[0] ?? "";
    if (!existsSync(join(this.root, "bin", name))) this.install("answer", name);
    writeFileSync(join(this.root, "answers", call.replaceAll("/", "_")), `${status}\n${output}\n`);
    return this;
  }

  /** A program made of a few lines of bash. */
  script(name: string, body: string): this {
    const path = join(this.root, "bin", name);
    writeFileSync(
      path,
      `#!/usr/bin/env bash\nset -euo pipefail\nprintf '%s\\n' "${name} $*" >>"$FAKE_HOST/calls"\n${body}\n`,
    );
    chmodSync(path, 0o755);
    return this;
  }

  write(path: string, text: string): this {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
    return this;
  }

  /** A process, as /proc shows it. */
  process(pid: number, name: string, uid = 0, state = "S (sleeping)"): this {
    return this.write(
      `proc/${pid}/status`,
      `Name:\t${name}\nState:\t${state}\nPid:\t${pid}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`,
    );
  }

  calls(): string[] {
    const path = join(this.root, "calls");
    return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  }

  remove(): void {
    process.env["PATH"] = this.path;
    delete process.env["FAKE_HOST"];
    rmSync(this.root, { recursive: true });
  }
}
