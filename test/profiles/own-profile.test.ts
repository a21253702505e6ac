/** A profile that is a script of the user's own, made on the image of minimal, so that it costs a boot and no install. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { backingChain } from "../../provider/storage/chain.js";
import { listSharedFiles } from "../../provider/storage/usage.js";
import { topOf } from "../support/disk-content.js";
import { inGuest } from "../support/guest.js";
import type { Stack } from "../support/project.js";
import { minute, openScene, type Scene, vmProgram } from "../support/scene.js";
import { tellInOrder } from "../support/story.js";

const header = "#!/usr/bin/env bash\n# vms-base: minimal\n";

describe("a VM whose profile is a script of the user's own", function () {
  this.timeout(40 * minute);
  tellInOrder();
  let scene: Scene;
  let stack: Stack;
  const name = `vms-e2e-own-${process.pid}`;

  const put = (file: string, script: string): void => {
    writeFileSync(join(stack.folder, file), header + script);
  };
  /** This package's command line, called in the folder of the scripts. */
  const create = (profile: string) => {
    const { iso, mirror } = scene.standIn;
    const cli = join(scene.project.directory, "node_modules/pulumi-vms/dist/cli/main.js");
    const args = ["create", name, "--profile", profile, "--network", "user", "--iso", iso, "--mirror", mirror];
    return execa("node", [cli, ...args], { cwd: stack.folder, env: scene.environment, all: true, reject: false });
  };
  const profiles = async () => (await listSharedFiles(scene.settings)).map(({ profile }) => profile).sort();

  before(async () => {
    scene = await openScene();
    await scene.prepareHost();
    stack = await scene.stack("own-profile");
  });

  it("is not made where the script fails: the error has its last lines, and nothing is left but the image below", async () => {
    put("broken.sh", `echo "so far so good on $(uname -n)"\necho "there is no such thing" >&2\nexit 3\n`);
    const others = (await profiles()).filter((profile) => profile !== "minimal");
    const { exitCode, all } = await create("./broken.sh");
    assert.equal(exitCode, 1, all);
    assert.match(all, /step "profile": the profile "\.\/broken\.sh" ended with status 3; its last lines:/);
    assert.match(all, /\| so far so good on archlinux\n +\| there is no such thing\n/);
    assert.match(all, /The whole console is in .*\.log/);
    assert.deepEqual(await profiles(), [...others, "minimal"].sort());
    assert.deepEqual(
      (await scene.domains()).filter((domain) => domain.name === name || domain.name.startsWith("vms-image-")),
      [],
    );
  });

  it("has what the script set up, and what it asks for besides, on an image that stores only that", async () => {
    put(
      "mine.sh",
      `set -euo pipefail
       source "$VMS_PAYLOAD/lib.sh"
       guard_errors
       source "$VMS_PAYLOAD/packages.sh"
       install_packages nano
       printf '%s %s\\n' "$VMS_PROFILE" "$VMS_PACKAGES" >/etc/mine
       cat /proc/sys/kernel/random/boot_id >>/etc/mine
       printf '[Unit]\\n[Service]\\nExecStart=cp /etc/mine /run/mine\\n[Install]\\nWantedBy=multi-user.target\\n' \\
         >/etc/systemd/system/mine.service
       systemctl enable mine.service
       say "@vms restart"\n`,
    );
    stack.write(
      `export const { uuid, image } = ${vmProgram(
        scene,
        "vm",
        `name: ${JSON.stringify(name)}, profile: "./mine.sh", packages: ["less"]`,
      )};`,
    );
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    const { uuid, image } = (await stack.outputs()) as { uuid: string; image: string };
    const files = await listSharedFiles(scene.settings);
    const [top, base] = (await backingChain(topOf(uuid))).slice(1).map(({ path }) => path);
    const [own, minimal] = [top, base].map((path) => files.find((file) => file.path === path));
    assert.deepEqual([own?.profile, own?.key, minimal?.profile], ["./mine.sh", image, "minimal"]);
    const [less, all] = [own?.allocation ?? Infinity, minimal?.allocation ?? 0];
    assert.ok(less < all / 2, `${less} bytes on ${all}`);
    assert.match(await inGuest(uuid, "head -n 1 /run/mine"), /^\.\/mine\.sh less$/);
    await inGuest(uuid, "pacman -Q nano less && systemctl --no-pager --failed --quiet | diff - /dev/null");
    assert.equal((await stack.up("--expect-no-changes")).status, 0);
  });

  it("is told by vms images as a user of both images, which stay when it is gone", async () => {
    const { uuid } = (await stack.outputs()) as { uuid: string };
    const cli = join(scene.project.directory, "node_modules/pulumi-vms/dist/cli/main.js");
    const { stdout } = await execa("node", [cli, "images"], { env: scene.environment });
    const lines = stdout.split("\n");
    assert.ok(
      lines.some((line) => new RegExp(`^image +\\./mine\\.sh +.* ${name} `).test(line)),
      stdout,
    );
    assert.ok(
      lines.some((line) => new RegExp(`^image +minimal +.*${name}.*, image \\./mine\\.sh `).test(line)),
      stdout,
    );
    assert.equal((await stack.destroy()).status, 0);
    assert.equal(
      (await scene.domains()).some((domain) => domain.uuid === uuid),
      false,
    );
    assert.ok((await profiles()).includes("./mine.sh"), "the image stays");
  });
});
