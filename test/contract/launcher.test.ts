import assert from "node:assert/strict";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { attempt, type RunResult } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";

/**
 * A checkout with the real launcher, and with an npm and a compiler that only note that they ran: npm "installs" the compiler, and
 * the compiler "compiles" a command line that prints its arguments.
 */
const compiler = `
  const { appendFileSync, mkdirSync, writeFileSync } = require("node:fs");
  appendFileSync("calls", "tsc\\n");
  mkdirSync("dist/cli", { recursive: true });
  writeFileSync("dist/cli/main.js", "console.log(JSON.stringify({ args: process.argv.slice(2), cwd: process.cwd() }))");
`;
const npm = `#!/bin/sh
echo "npm $1" >>calls
rm -rf node_modules
mkdir -p node_modules/typescript/bin
cp compiler.cjs node_modules/typescript/bin/tsc
cp package-lock.json node_modules/.package-lock.json
`;

describe("the launcher", () => {
  let folder: string;
  let bin: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "vms launcher '"));
    bin = join(folder, "bin");
    await mkdir(join(folder, "tools"));
    for (const file of ["vms", "tools/setup.sh", "tools/check-modules.mjs"]) {
      await cp(join(packageFiles.root, file), join(folder, file));
    }
    for (const directory of ["bin", "resources", "provider", "cli", "test"]) await mkdir(join(folder, directory));
    for (const file of ["package.json", "tsconfig.json"]) await writeFile(join(folder, file), "{}");
    await writeFile(join(folder, "compiler.cjs"), compiler);
    await writeFile(join(folder, "cli", "main.ts"), "");
    await writeLock("1.0.0");
    await writeProgram("npm", npm);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function writeProgram(name: string, text: string): Promise<void> {
    await writeFile(join(bin, name), text);
    await chmod(join(bin, name), 0o755);
  }
  async function writeLock(version: string): Promise<void> {
    const packages = { "": {}, "node_modules/typescript": { version, integrity: "sha512-x" } };
    await writeFile(join(folder, "package-lock.json"), JSON.stringify({ packages }));
  }
  function launch(args: string[] = [], path = `${bin}${delimiter}${process.env["PATH"] ?? ""}`): Promise<RunResult> {
    return attempt([join(folder, "vms"), ...args], { env: { PATH: path }, cwd: tmpdir() });
  }
  async function calls(): Promise<string> {
    return readFile(join(folder, "calls"), "utf8");
  }
  /** Newer than all that was made until now, however coarse the clock of the file system is. */
  async function touchLater(file: string): Promise<void> {
    const later = new Date(Date.now() + 60_000);
    await utimes(join(folder, file), later, later);
  }

  it("sets a fresh checkout up and runs the command line in the caller's directory, with the arguments as they are", async () => {
    const { status, stdout, stderr } = await launch(["create", "a b", "$(id)"]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { args: ["create", "a b", "$(id)"], cwd: tmpdir() });
    assert.equal(await calls(), "npm ci\ntsc\n");
  });

  it("does and says nothing the second time", async () => {
    await launch();
    const { stderr } = await launch();
    assert.equal(stderr, "");
    assert.equal(await calls(), "npm ci\ntsc\n");
  });

  it("leaves packages alone that somebody else installed as the lock file says", async () => {
    await attempt(["npm", "ci"], { cwd: folder, env: { PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` } });
    await launch();
    assert.equal(await calls(), "npm ci\ntsc\n");
  });

  it("installs again when the lock file has changed, and compiles", async () => {
    await launch();
    await writeLock("2.0.0");
    await launch();
    assert.equal(await calls(), "npm ci\ntsc\nnpm ci\ntsc\n");
  });

  it("compiles when a source is newer, and when one was taken away, whose output goes", async () => {
    await writeFile(join(folder, "cli", "old.ts"), "");
    await launch();
    await writeFile(join(folder, "dist", "cli", "old.js"), "");
    await touchLater("cli/main.ts");
    await rm(join(folder, "cli", "old.ts"));
    await launch();
    assert.equal(await calls(), "npm ci\ntsc\ntsc\n");
    await assert.rejects(readFile(join(folder, "dist", "cli", "old.js")));
  });

  it("sets up once when two are started at the same time", async () => {
    const both = await Promise.all([launch(), launch()]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [0, 0],
    );
    assert.equal(await calls(), "npm ci\ntsc\n");
  });

  it("sets up again what a killed launcher left half done", async () => {
    await writeProgram("npm", "#!/bin/sh\nmkdir -p node_modules\nkill -9 $PPID\n");
    assert.notEqual((await launch().catch(() => ({ status: 1 }))).status, 0);
    await writeProgram("npm", npm);
    assert.equal((await launch()).status, 0);
  });

  it("stops where npm fails or the sources do not compile, and tries again next time", async () => {
    await writeProgram("npm", "#!/bin/sh\nexit 7\n");
    const { status, stderr } = await launch();
    assert.equal(status, 1);
    assert.match(stderr, /error: npm ci failed/);
    await writeProgram("npm", npm);
    await writeFile(join(folder, "compiler.cjs"), "process.exit(2)");
    assert.match((await launch()).stderr, /error: the sources do not compile/);
    assert.match((await launch()).stderr, /error: the sources do not compile/);
  });

  it("says which Node.js it needs where there is none, or one too old", async () => {
    for (const program of [
      "bash",
      "dirname",
      "readlink",
      "cat",
      "stat",
      "sha256sum",
      "mkdir",
      "flock",
      "env",
      "find",
    ]) {
      const { stdout } = await attempt(["which", program]);
      await symlink(stdout, join(bin, program));
    }
    assert.match(
      (await launch([], bin)).stderr,
      /error: Node\.js is not installed: vms needs Node\.js 20\.19 or later/,
    );
    await writeProgram("node", "#!/bin/sh\necho v20.18.3\n");
    assert.match((await launch([], bin)).stderr, /error: Node\.js v20\.18\.3 is too old: vms needs 20\.19 or later/);
  });
});
