import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "../../../provider/host/command.js";
import { type PayloadRecipe, recipeConf } from "../../../provider/install/payload.js";
import { shippedProfiles } from "../../../provider/install/profile.js";
import { guestScripts, runGuestBash } from "./guest-tree.js";

const shipped = (name: string) => ({ name, own: false, script: Buffer.from("") });

type RecipeProfile = PayloadRecipe["profiles"][number];

const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

describe("guest/lib.sh", () => {
  it("ends with the first failure as the last line, also from a subshell and a script that it starts", async () => {
    const { status, stderr } = await runGuestBash(
      ["lib.sh"],
      `value=$(die "no such thing: do this"; echo unreachable)
       echo unreachable`,
    );
    assert.equal(status, 1);
    assert.equal(lastLine(stderr), "error: no such thing: do this");
    const child = await runGuestBash(
      ["lib.sh"],
      `bash -c 'set -euo pipefail; source "$VMS_PAYLOAD/lib.sh"; guard_errors; die "the cause"' || die "the consequence"`,
    );
    assert.equal(lastLine(child.stderr), "error: the cause");
  });

  it("tells the command, the file and the line of a failure that nobody explained", async () => {
    const { status, stderr } = await runGuestBash(["lib.sh"], "ls /there/is/no/such/folder");
    assert.notEqual(status, 0);
    assert.match(lastLine(stderr), /^error: "ls \/there\/is\/no\/such\/folder" ended with status 2 \(.*line \d+\)$/);
  });

  it("gives up waiting at the deadline", async () => {
    const { stdout } = await runGuestBash(
      ["lib.sh"],
      `wait_until 1 false || echo gave up; wait_until 1 true && echo came`,
    );
    assert.equal(stdout, "gave up\ncame");
  });

  describe("load_recipe", () => {
    let payload = "";

    beforeEach(() => {
      payload = mkdtempSync(join(tmpdir(), "vms-payload-"));
      cpSync(guestScripts, payload, { recursive: true });
    });

    afterEach(() => {
      rmSync(payload, { recursive: true, force: true });
    });

    const load = async (packages: string[], profile = "minimal", mirror = ""): Promise<string> => {
      writeFileSync(
        join(payload, "recipe.conf"),
        recipeConf({ mirror, profiles: [shipped(profile)], packages, recipe: "0123" }),
      );
      const { status, stdout, stderr } = await runGuestBash(
        ["lib.sh"],
        `load_recipe; printf '<%s>' "\${EXTRA_PACKAGES[@]}"`,
        { payload },
      );
      return status === 0 ? stdout : lastLine(stderr);
    };

    it("takes what the host writes, as it is", async () => {
      assert.equal(await load(["i3-wm", "gtk2.0+x", "extra_1"]), "<i3-wm><gtk2.0+x><extra_1>");
    });

    it("refuses what cannot be the name of a package, and runs none of it", async () => {
      const proof = join(payload, "proof");
      for (const name of [`$(touch\${IFS}${proof})`, `a;touch ${proof}`, "--root=/x", "'", "-Syu"]) {
        assert.match(await load([name]), /^error: ".*" cannot be the name of a package/, name);
        assert.equal(existsSync(proof), false);
      }
    });

    it("refuses an unknown profile by the names of those there are, and a mirror with a line break", async () => {
      const names = shippedProfiles().join(" ");
      assert.equal(await load([], "huge"), `error: there is no profile "huge": choose one of ${names}`);
      assert.match(await load([], "../lib"), /^error: there is no profile "\.\.\/lib"/);
      assert.match(await load([], "minimal", "http://x/\nServer = http://evil/"), /^error: the mirror .* line break$/);
    });

    it("stops a step of another name before it does anything", async () => {
      writeFileSync(
        join(payload, "recipe.conf"),
        recipeConf({ profiles: [shipped("minimal")], packages: [], recipe: "0" }),
      );
      const { status, stderr } = await attempt(["bash", join(payload, "install.sh"), "formatt"]);
      assert.equal(status, 1);
      assert.equal(
        lastLine(stderr),
        'error: there is no step "formatt": the steps are ready partition format packages configure bootloader unmount',
      );
    });
  });
});

describe("guest/finish/profile.sh", () => {
  let payload = "";

  beforeEach(() => {
    payload = mkdtempSync(join(tmpdir(), "vms-payload-"));
    cpSync(guestScripts, payload, { recursive: true });
    for (const name of ["one", "two"])
      writeFileSync(join(payload, "profiles", `${name}.sh`), `echo "$VMS_PROFILE runs, $VMS_RECIPE"`);
  });
  afterEach(() => {
    rmSync(payload, { recursive: true, force: true });
  });

  /** The step, in a guest whose network and mirror are there, and whose kernel was upgraded. */
  async function setUp(profiles: RecipeProfile[]) {
    const own = profiles.find((profile) => profile.own);
    if (own !== undefined) writeFileSync(join(payload, "own-profile"), own.script, { mode: 0o755 });
    writeFileSync(join(payload, "recipe.conf"), recipeConf({ profiles, packages: ["vim"], recipe: "0123" }));
    return runGuestBash(
      ["lib.sh", "finish/profile.sh"],
      `wait_for_route() { :; }; wait_for_mirror() { :; }; mount_package_caches() { :; }; unmount_package_caches() { :; }
       install_packages() { echo "installs $*"; }
       uname() { echo 6.0.0-gone; }
       load_recipe
       step_profile`,
      { payload },
    );
  }

  it("runs the script of each profile in their order, each by its name, and then installs the user's packages", async () => {
    const { status, stdout } = await setUp([shipped("one"), shipped("two")]);
    assert.equal(status, 0);
    assert.deepEqual(stdout.split("\n").slice(0, 5), [
      "profile one",
      "one runs, 0123",
      "profile two",
      "two runs, 0123",
      "installs vim",
    ]);
  });

  it("runs a script of the user's own by what its first line names, under its own name, after those below it", async () => {
    const script = Buffer.from('#!/usr/bin/env -S bash -e\necho "$VMS_PROFILE in $0"\n[[ $- == *e* ]]\n');
    const { stdout } = await setUp([shipped("one"), { name: "./it's mine.sh", own: true, script }]);
    const lines = ["profile ./it's mine.sh", `./it's mine.sh in ${payload}/own-profile`, "installs vim"];
    assert.deepEqual(stdout.split("\n").slice(2, 5), lines);
  });

  it("says which profile failed and how, behind what its script said, and does nothing further", async () => {
    const script = Buffer.from("#!/bin/sh\necho so far so good\necho and then not >&2\nexit 7\n");
    const { status, stdout, stderr } = await setUp([{ name: "./mine.sh", own: true, script }]);
    assert.equal(status, 1);
    assert.equal(stdout, "profile ./mine.sh\nso far so good");
    assert.equal(stderr, 'and then not\nerror: the profile "./mine.sh" ended with status 7');
  });

  it("asks for a restart where the kernel that runs is not installed any more", async () => {
    const { stdout } = await setUp([shipped("one")]);
    assert.equal(lastLine(stdout), "@vms restart");
  });
});

describe("guest/packages.sh", () => {
  const said = `:: Synchronizing package databases...
 core downloading...
resolving dependencies...

Packages (3) acl-2.3.2-1  base-3-2  zlib-1:1.3.1-2

:: Proceed with installation? [Y/n]
:: Retrieving packages...
 acl-2.3.2-1-x86_64 downloading...
installing acl...
installing zlib...
installing base...
:: Running post-transaction hooks...`;

  it("counts packages as pacman installs them, and passes every line on", async () => {
    const { stdout } = await runGuestBash(["lib.sh", "packages.sh"], "report_packages", { input: said });
    const lines = stdout.split("\n");
    assert.deepEqual(
      lines.filter((line) => line.startsWith("@vms")),
      [
        "@vms progress 0 0 downloading core",
        "@vms progress 0 3 downloading acl-2.3.2-1-x86_64",
        "@vms progress 1 3 acl",
        "@vms progress 2 3 zlib",
        "@vms progress 3 3 base",
      ],
    );
    assert.equal(lines.filter((line) => !line.startsWith("@vms")).join("\n"), said);
  });

  const reasons: [string, string, RegExp][] = [
    [
      "every name that no repository has",
      "error: target not found: nosuch\nerror: target not found: other\n==> ERROR: Failed to install packages to new root",
      /^target not found: nosuch other: .*"packages"$/,
    ],
    [
      "a disk too small, as pacman sees it beforehand",
      "error: Partition /mnt too full: 9 blocks needed, 1 blocks free\nerror: not enough free disk space\nerror: failed to commit transaction (not enough free disk space)",
      /^the disk is full: not enough free disk space/,
    ],
    [
      "a disk that fills up on the way",
      "error: could not extract /usr/lib/x (Write failed: No space left on device)",
      /^the disk is full: .*No space left/,
    ],
    [
      "a mirror that lacks a file",
      "error: failed retrieving file 'acl-2.pkg.tar.zst' from 10.0.2.2:80 : The requested URL returned error: 404\nerror: failed to commit transaction (failed to retrieve some files)",
      /^the mirror failed: failed retrieving file 'acl-2.*404/,
    ],
    [
      "a signature that does not hold",
      'error: acl: signature from "X <x@y>" is unknown trust\nerror: failed to commit transaction (invalid or corrupted package (PGP signature))',
      /^a signature does not hold: acl: signature from/,
    ],
    [
      "anything else by pacman's last error",
      "warning: x\nerror: failed to prepare transaction (could not satisfy dependencies)\n:: installing a breaks b",
      /^pacman failed: failed to prepare transaction/,
    ],
  ];
  for (const [what, log, expected] of reasons) {
    it(`tells ${what}`, async () => {
      const { stdout } = await runGuestBash(
        ["lib.sh", "packages.sh"],
        'log=$(mktemp); cat >"$log"; explain_pacman "$log"; rm "$log"',
        { input: log },
      );
      assert.match(stdout, expected);
    });
  }

  describe("share_new_packages", () => {
    let folder = "";

    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "vms-cache-"));
      for (const name of ["own", "mounts/shared/.incoming.old", "mounts/shared/.incoming.of-another-guest"]) {
        mkdirSync(join(folder, name), { recursive: true });
      }
      utimesSync(join(folder, "mounts/shared/.incoming.old"), 0, 0);
      for (const name of ["a.pkg.tar.zst", "a.pkg.tar.zst.sig", "b.pkg.tar.zst.part", "c.pkg.tar.zst"]) {
        writeFileSync(join(folder, "own", name), "new");
      }
    });

    afterEach(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    const share = async (): ReturnType<typeof runGuestBash> =>
      await runGuestBash(
        ["lib.sh", "packages.sh"],
        `mountpoint() { true; }
         CACHE_MOUNTS=$FOLDER/mounts
         PACKAGE_CACHE=$FOLDER/own
         share_new_packages`,
        { env: { FOLDER: folder } },
      );

    it("gives whole files that are new, leaves what other guests do, and clears what dead ones left", async () => {
      writeFileSync(join(folder, "mounts/shared/c.pkg.tar.zst"), "old");
      const { status, stderr } = await share();
      assert.equal(status, 0, stderr);
      assert.deepEqual(readdirSync(join(folder, "mounts/shared")).sort(), [
        ".incoming.of-another-guest",
        "a.pkg.tar.zst",
        "a.pkg.tar.zst.sig",
        "c.pkg.tar.zst",
      ]);
      assert.equal(readFileSync(join(folder, "mounts/shared/c.pkg.tar.zst"), "utf8"), "old");
      assert.deepEqual(readdirSync(join(folder, "own")), []);
    });

    it("goes on where the shared cache takes nothing", async () => {
      rmSync(join(folder, "mounts/shared"), { recursive: true });
      const { status, stdout, stderr } = await share();
      assert.equal(status, 0, stderr);
      assert.match(stdout, /the shared package cache does not take the new packages/);
      assert.deepEqual(readdirSync(join(folder, "own")), []);
    });
  });
});

describe("guest/network.sh", () => {
  let server: Server;
  let asked: string[] = [];
  let base = "";

  before(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(request.url?.startsWith("/good/") === true ? 200 : 404).end("x");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => {
    server.close();
  });

  beforeEach(() => {
    asked = [];
  });

  const ask = async (mirror: string): ReturnType<typeof runGuestBash> =>
    await runGuestBash(["lib.sh", "network.sh"], "MIRROR_SECONDS=1; VMS_MIRROR=$MIRROR; wait_for_mirror", {
      env: { MIRROR: mirror, MIRROR_SECONDS: "1" },
    });

  it("asks the mirror for a database, with its own words for $repo and $arch", async () => {
    const { status, stderr } = await ask(`${base}/good/$repo/os/$arch`);
    assert.equal(status, 0, stderr);
    assert.deepEqual(asked, [`/good/core/os/${process.arch === "x64" ? "x86_64" : "aarch64"}/core.db`]);
  });

  it("names the mirror and what it answered, and does not ask again after a plain no", async () => {
    const { status, stderr } = await ask(`${base}/bad/$repo`);
    assert.equal(status, 1);
    assert.match(lastLine(stderr), /^error: the mirror http:.*\/bad\/\$repo does not answer: .*404.*core\/core\.db/);
    assert.equal(asked.length, 1);
  });

  it("asks again, for a while, where nobody listens", async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { status, stderr } = await ask(`http://127.0.0.1:${port}/$repo`);
    assert.equal(status, 1);
    assert.match(lastLine(stderr), /does not answer: .*(refused|connect)/i);
  });
});
