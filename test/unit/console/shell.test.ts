import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, describe, it } from "mocha";
import { Deadline } from "../../../provider/host/deadline.js";
import type { Dialogue } from "../../../provider/console/expect.js";
import { awaitLogin, logIn, type Shell, takeShell } from "../../../provider/console/shell.js";
import { type ConsoleTimeoutError, type GuestLostError, hasCode } from "../../../provider/errors.js";
import { closeAll, fixture, talk } from "./open.js";

const bash = ["/bin/bash", "--noprofile", "--norc", "--noediting"] as const;
const redrawing = [fixture("redrawing-shell")] as const;

async function enter(dialogue: Dialogue): Promise<Shell> {
  await awaitLogin(dialogue, new Deadline(300), { patience: 1 });
  return await logIn(dialogue, new Deadline(300));
}

/** A bash that was made quiet, without a login. */
async function takeBash(dialogue = talk(bash)): Promise<Shell> {
  dialogue.send(" stty -echo; PS1=\n");
  return await takeShell(dialogue, new Deadline(300));
}

/** A shell as everybody needs it: two commands, in order, with their statuses and nothing else in their output. */
async function assertUsable(shell: Shell): Promise<void> {
  assert.deepEqual(await shell.run("echo hello", { timeout: 300 }), { status: 0, output: "hello\n" });
  assert.deepEqual(await shell.run("echo $TERM; (exit 42)", { timeout: 300 }), { status: 42, output: "dumb\n" });
}

describe("logging in", () => {
  afterEach(closeAll);

  for (const [how, title] of [
    ["empty", "logs in where no password is asked for"],
    ["password", "gives an empty password where one is asked for"],
    ["automatic", "takes the shell where root is logged in already"],
    ["torn", "sees a login prompt that a kernel message has torn"],
    ["lost", "asks a getty again whose prompt is broken"],
    ["lossy", "types again what a login has dropped"],
  ] as const) {
    it(title, async () => {
      await assertUsable(await enter(talk([fixture("getty"), how, ...bash])));
    });
  }

  it("makes a shell quiet that redraws its line, in colours, with NULs and titles", async () => {
    await assertUsable(await enter(talk([fixture("getty"), "empty", ...redrawing])));
  });

  it("makes a real zsh quiet", async function () {
    const dialogue = talk([fixture("getty"), "empty", "zsh", "-f", "-o", "promptcr", "-o", "promptsp"]);
    await awaitLogin(dialogue, new Deadline(30));
    const shell = await logIn(dialogue, new Deadline(60)).catch((error: unknown) => {
      if (/zsh: (No such file|not found)/.test(readFileSync(dialogue.log, "utf8"))) return undefined;
      throw error;
    });
    if (shell === undefined) this.skip();
    await assertUsable(shell);
  });

  it("logs in over a line that trickles", async () => {
    await assertUsable(
      await enter(talk([fixture("serial-line.mjs"), "trickle", fixture("getty"), "empty", ...redrawing])),
    );
  });

  it("says that there was no login prompt", async () => {
    const dialogue = talk([fixture("getty"), "deaf", ...bash]);
    await assert.rejects(
      awaitLogin(dialogue, new Deadline(5), { patience: 0.5, hint: "Wait longer" }),
      (error: ConsoleTimeoutError) => {
        assert.match(error.message, /no login prompt on the console within 5 s/);
        assert.match(error.lastLines, /Reached target Basic System – naïve/);
        assert.equal(error.hint, "Wait longer");
        return true;
      },
    );
  });

  it("says that there was no shell behind the login", async () => {
    const dialogue = talk([fixture("getty"), "stuck", ...bash]);
    await awaitLogin(dialogue, new Deadline(30));
    await assert.rejects(logIn(dialogue, new Deadline(4)), /no root shell on the console within 4 s/);
  });

  it("gives up where root is refused", async () => {
    const dialogue = talk([fixture("getty"), "refused", ...bash]);
    await awaitLogin(dialogue, new Deadline(30));
    await assert.rejects(logIn(dialogue, new Deadline(60)), (error: GuestLostError) =>
      /root cannot log in/.test(error.why),
    );
  });
});

describe("running a command", () => {
  afterEach(closeAll);

  it("delivers each line as it comes, and one without an end at the end", async () => {
    const dialogue = talk(bash);
    const shell = await takeBash(dialogue);
    const seen: string[] = [];
    // The command goes on only after its first line was delivered: it waits for a file that the test makes then.
    const go = `${dialogue.log}.go`;
    const result = await shell.run(`echo first; until [ -e '${go}' ]; do sleep 0.05; done; echo; printf last`, {
      timeout: 30,
      onLine: (line) => {
        seen.push(line);
        if (line === "first") writeFileSync(go, "");
      },
    });
    assert.deepEqual(seen, ["first", "", "last"]);
    assert.deepEqual(result, { status: 0, output: "first\n\nlast\n" });
  });

  it("is not deceived by its own echo", async () => {
    const shell = await takeBash();
    await shell.run("stty echo </dev/tty", { timeout: 300 });
    const result = await shell.run("sleep 0.3; echo real; (exit 3)", { timeout: 300 });
    assert.equal(result.status, 3);
    assert.match(result.output, /real\n$/);
    assert.match(result.output, /@\\@/, "the echo was on");
  });

  it("is not deceived by a marker of a command before, nor by what looks like one", async () => {
    const shell = await takeBash();
    const result = await shell.run("echo @@0123456789ab:7@@; echo @@; (exit 5)", { timeout: 300 });
    assert.deepEqual(result, { status: 5, output: "@@0123456789ab:7@@\n@@\n" });
  });

  it("finds a marker that a kernel message has torn", async () => {
    const dialogue = talk([fixture("serial-line.mjs"), "tear", ...bash]);
    const shell = await takeBash(dialogue);
    for (const status of [0, 1, 127]) {
      const result = await shell.run(`echo out; (exit ${status})`, { timeout: 300 });
      assert.equal(result.status, status);
      assert.match(result.output, /^out$/m);
    }
    assert.match(readFileSync(dialogue.log, "utf8"), /@@[0-9a-f]{4}\[ {3}42\.123456\]/, "the markers were torn");
  });

  it("shows letters of every script, and what a carriage return leaves of a line", async () => {
    const shell = await takeBash(talk([fixture("serial-line.mjs"), "trickle", ...bash]));
    const { output } = await shell.run(String.raw`echo 'naïve – 日本'; printf ' 1%%\r100%%\n'`, { timeout: 300 });
    assert.equal(output, "naïve – 日本\n100%\n");
  });

  it("gives commands an empty standard input", async () => {
    const shell = await takeBash();
    assert.deepEqual(await shell.run("cat; echo end", { timeout: 300 }), { status: 0, output: "end\n" });
  });

  it("keeps the end of very much output", async () => {
    const shell = await takeBash();
    let lines = 0;
    const { output } = await shell.run("seq 1 100000", { timeout: 60, onLine: () => lines++ });
    assert.equal(lines, 100_000);
    assert.equal(output.split("\n").length, 2001);
    assert.match(output, /99999\n100000\n$/);
  });

  it("says which command did not end, with the last lines", async () => {
    const shell = await takeBash();
    await assert.rejects(shell.run("echo waiting; sleep 600", { timeout: 1 }), (error: ConsoleTimeoutError) => {
      assert.match(error.message, /no end of "echo waiting; sleep 600" on the console within 1 s/);
      assert.match(error.lastLines, /waiting$/);
      return true;
    });
  });

  it("says at once that the console ended under a command", async () => {
    const shell = await takeBash();
    await assert.rejects(shell.run("echo dying; kill -KILL $$", { timeout: 600 }), (error: GuestLostError) => {
      assert.match(error.why, /^the console ended/);
      assert.match(error.lastLines, /dying$/);
      return true;
    });
  });

  it("hides secrets in lines and output", async () => {
    const shell = await takeBash(talk(bash, { secrets: ["hunter2"] }));
    const seen: string[] = [];
    const result = await shell.run("echo it is hunter2", { timeout: 30, onLine: (line) => seen.push(line) });
    assert.deepEqual(seen, ["it is ********"]);
    assert.equal(result.output, "it is ********\n");
  });

  it("refuses what is not one short line, before it types anything", async () => {
    const shell = await takeBash();
    for (const command of ["echo a\necho b", "echo \u0003", `echo ${"é".repeat(2500)}`]) {
      await assert.rejects(shell.run(command, { timeout: 300 }), (error: unknown) => hasCode(error, "input"));
    }
    await assertUsable(shell);
  });
});
