import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, it } from "mocha";
import { Deadline } from "../../../provider/host/deadline.js";
import { type ConsoleTimeoutError, type GuestLostError, hasCode, VmsError } from "../../../provider/errors.js";
import { closeAll, talk } from "./open.js";

const soon = (): Deadline => new Deadline(30);
const never = "while read -r _; do :; done";

describe("expecting", () => {
  afterEach(closeAll);

  it("finds a text that has characters of a pattern, and a pattern", async () => {
    const dialogue = talk(["bash", "-c", `echo 'a.c [x]'; echo abc 41 of 187; ${never}`]);
    assert.equal((await dialogue.expect("a.c [x]", { what: "text", deadline: soon() }))[0], "a.c [x]");
    assert.equal((await dialogue.expect(/(\d+) of (\d+)/, { what: "count", deadline: soon() }))[2], "187");
  });

  it("never finds again what it has consumed", async () => {
    const dialogue = talk(["bash", "-c", `echo one two one; ${never}`]);
    await dialogue.expect("two", { what: "two", deadline: soon() });
    await dialogue.expect("one", { what: "second one", deadline: soon() });
    const missed = dialogue.expect("one", { what: "third one", deadline: new Deadline(0.2) });
    await assert.rejects(missed, (error: unknown) => hasCode(error, "console-timeout"));
  });

  it("finds what comes in many pieces, between escape sequences and NULs", async () => {
    const dialogue = talk([
      "bash",
      "-c",
      String.raw`for c in l o g i n; do printf '\e[1m\0%s\e[0m' $c; sleep 0.02; done; ${never}`,
    ]);
    await dialogue.expect("login", { what: "login", deadline: soon() });
  });

  it("says what was awaited, how long, the last lines without secrets or escapes, the log and the hint", async () => {
    const script = String.raw`printf 'first\r\n\e[31mtoken hunter2\e[0m\r\n\e]0;t\a~ # '; ${never}`;
    const dialogue = talk(["bash", "-c", script], { secrets: ["hunter2"] });
    await dialogue.expect("first", { what: "first", deadline: soon() });
    await assert.rejects(
      dialogue.expect(/login/, { what: "login prompt", deadline: new Deadline(0.3), hint: "Run: something" }),
      (error: ConsoleTimeoutError) => {
        assert.equal(error.code, "console-timeout");
        assert.equal(error.lastLines, "first\ntoken ********\n~ # ");
        assert.equal(error.log, dialogue.log);
        assert.match(error.message, /no login prompt on the console within 0.3 s/);
        assert.match(error.message, /Run: something$/);
        return true;
      },
    );
  });

  it("finds what was said before the console ended, and then says that it ended", async () => {
    const dialogue = talk(["bash", "-c", "echo last words"]);
    await dialogue.ended;
    await dialogue.expect("last words", { what: "last words", deadline: soon() });
    await assert.rejects(dialogue.expect("more", { what: "more", deadline: soon() }), (error: GuestLostError) => {
      assert.equal(error.code, "guest");
      assert.equal(error.why, "the console ended and there was no more");
      assert.equal(error.lastLines, "last words");
      return true;
    });
  });

  it("gives the reason that is known of why the console ended", async () => {
    const whyEnded = async () => Promise.resolve({ why: "the guest powered itself off", hint: "Run: x" });
    const dialogue = talk(["bash", "-c", "exit 0"], { whyEnded });
    const waiting = dialogue.expect("login", { what: "login", deadline: soon() });
    await assert.rejects(
      waiting,
      (error: GuestLostError) => error.why === "the guest powered itself off" && error.hint === "Run: x",
    );
  });

  it("passes on that the reason cannot be found", async () => {
    const whyEnded = async () => Promise.reject(new VmsError("unreachable", "libvirt does not answer"));
    const dialogue = talk(["bash", "-c", "exit 0"], { whyEnded });
    const waiting = dialogue.expect("login", { what: "login", deadline: soon() });
    await assert.rejects(waiting, (error: unknown) => hasCode(error, "unreachable"));
  });

  it("ends when a line comes that no living guest prints, though it comes in two pieces", async () => {
    const script = `printf 'Kernel pa'; sleep 0.2; echo 'nic - not syncing: x'; ${never}`;
    const fatal = [{ pattern: /Kernel panic - not syncing/, why: "the kernel panicked" }];
    const dialogue = talk(["bash", "-c", script], { fatal });
    const waiting = dialogue.expect("login", { what: "login", deadline: soon() });
    await assert.rejects(waiting, (error: GuestLostError) => error.why === "the kernel panicked");
  });

  it("ends when it is cancelled, and begins nothing after that", async () => {
    const control = new AbortController();
    const dialogue = talk(["bash", "-c", never], { signal: control.signal });
    const waiting = dialogue.expect("login", { what: "login", deadline: soon() });
    control.abort();
    await assert.rejects(waiting, (error: unknown) => hasCode(error, "cancelled"));
    await assert.rejects(dialogue.expect("x", { what: "x", deadline: soon() }), (error: unknown) =>
      hasCode(error, "cancelled"),
    );
  });

  it("is cancelled from the beginning where the signal was aborted before", async () => {
    const dialogue = talk(["bash", "-c", never], { signal: AbortSignal.abort() });
    await assert.rejects(dialogue.expect("x", { what: "x", deadline: soon() }), (error: unknown) =>
      hasCode(error, "cancelled"),
    );
  });

  it("takes no second wait while one is under way", async () => {
    const dialogue = talk(["bash", "-c", `sleep 0.2; echo login; ${never}`]);
    const waiting = dialogue.expect("login", { what: "login", deadline: soon() });
    await assert.rejects(
      dialogue.expect("x", { what: "x", deadline: soon() }),
      /two waits on one console: login and x/,
    );
    await waiting;
  });

  it("glimpses nothing where nothing comes, and goes on", async () => {
    const dialogue = talk(["bash", "-c", `read -r _; echo login; ${never}`]);
    assert.equal(await dialogue.glimpse(/login/, { what: "login", deadline: new Deadline(0.1) }), undefined);
    dialogue.send("\n");
    await dialogue.expect("login", { what: "login", deadline: soon() });
  });

  it("finds a line behind a flood, also one that came while nobody waited", async () => {
    const dialogue = talk(["bash", "-c", `yes 0123456789abcdef | head -c 3400000; echo done; ${never}`]);
    await pause(100);
    await dialogue.expect(/^done$/m, { what: "end of the flood", deadline: soon() });
  });
});
