import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compareSync } from "bcryptjs";
import { attempt } from "../../provider/host/command.js";
import { isPng } from "../../provider/storage/picture.js";
import { inGuest } from "../support/guest.js";
import { reboot } from "../support/reboot.js";
import { eventually, minute, openScene, type Scene } from "../support/scene.js";
import { environmentOf } from "../support/store.js";
import { inTerminal, outcomesOf, vmsOn, vmsProgram } from "../support/vms-command.js";

const name = `vms-e2e-verbs-${process.pid}`;

/** What else happens by chance: systemd ends the agent's shutdown command, which has done its work, before the agent can answer. */
const shutdownWithoutAnswer = `
path=$(readlink -f /sbin)/shutdown
rm "$path"
printf '%s\\n' '#!/bin/bash' 'case $* in *-r*) verb=reboot ;; *) verb=poweroff ;; esac' 'systemctl --no-block "$verb"' 'kill -KILL $$' >"$path"
chmod 755 "$path"
`;

describe("a VM of the command line, with its guest", () => {
  let scene: Scene;

  before(async () => {
    scene = await openScene();
    await scene.prepareHost();
  });

  it("is made, looked at, spoken to on its console in a window of any size, rebooted from inside, and powered off at any moment", async () => {
    const { iso, mirror } = scene.standIn;
    const vms = vmsOn(scene.settings);
    const { done } = outcomesOf(vms);
    const where = ["--profile", "minimal", "--network", "user", "--iso", iso, "--mirror", mirror];
    const identity = ["--hostname", "desk", "--timezone", "Europe/Berlin", "--password-stdin"];
    const made = await attempt([process.execPath, vmsProgram, "create", name, ...where, ...identity], {
      env: environmentOf(scene.settings),
      input: "pa'ss wörd\nand no more\n",
      timeout: 0,
    });
    assert.equal(made.status, 0, made.stderr);
    const hash = await inGuest(name, "getent shadow user | cut -d: -f2");
    assert.ok(compareSync("pa'ss wörd", hash), hash);
    assert.match(made.stdout, new RegExp(`^${name} is running, its address is 10\\.0\\.2\\.15\\n`));
    assert.equal(await done("ip", name), "10.0.2.15");
    assert.deepEqual(JSON.parse(await done("ip", name, "--json")), { name, address: "10.0.2.15", source: "agent" });
    const picture = join(scene.project.directory, "verbs.png");
    await done("screenshot", name, picture);
    assert.ok(isPng(readFileSync(picture)));
    await done("stop", name);
    await done("start", name);
    // It boots meanwhile, and nobody in it can be told how large the window is.
    const session = inTerminal(scene.settings, "console", name);
    await eventually(() => /root@desk:\S*# /.test(session.said()), 10 * minute);
    // Until the agent has told the line how large the terminal of the test is.
    session.write(
      'until [ "$(stty size)" = \'50 200\' ]; do sleep 0.2; done; echo "at $(stty size) on $(uname -n) as $(whoami)"\r',
    );
    await eventually(() => /^at 50 200 on desk as root$/m.test(session.said()), 10 * minute);
    session.write("\u001d");
    assert.equal((await session.ended).status, 0, session.said());
    await inGuest(name, shutdownWithoutAnswer);
    assert.equal(await reboot(name, 15 * minute), false, "the agent answered");
    assert.match(await done("stop", name), new RegExp(`^${name} powered off \\(asked by its guest agent`));
    assert.match(await done("log", name), /at 50 200 on desk as root/);
    // A guest that has just begun to boot sees no power button, and its agent is not there yet.
    await done("start", name);
    assert.match(await done("stop", name), new RegExp(`^${name} powered off \\(asked by `));
    assert.match(await done("start", name, "--wait"), new RegExp(`^${name} was started\n.*10\\.0\\.2\\.15`));
    assert.equal(await done("destroy", name, "--yes"), `${name} and its disk are gone`);
  }).timeout(60 * minute);
});
