import assert from "node:assert/strict";
import { CommandError, hasCode, toVmsError } from "../../../provider/errors.js";
import { run } from "../../../provider/host/command.js";

const failure = (script: string): Promise<unknown> =>
  run(["bash", "-c", script]).then(
    () => "done",
    (error: unknown) => error,
  );

describe("a program of the host", () => {
  for (const [signal, who] of [
    ["INT", "Ctrl-C"],
    ["HUP", "its terminal, which was closed"],
  ] as const) {
    it(`that the terminal ends with SIG${signal} was stopped by the user`, async () => {
      const error = await failure(`kill -${signal} $$`);
      assert.ok(hasCode(error, "cancelled"), String(error));
      assert.equal(toVmsError(error).reason, `bash was stopped by ${who}`);
    });
  }

  it("that somebody kills has failed", async () => {
    const error = await failure("kill -KILL $$");
    assert.ok(error instanceof CommandError);
    assert.match(error.stderr, /ended by SIGKILL/);
  });

  it("that fails is told with its status and what it said last", async () => {
    const error = await failure("echo first >&2; echo last >&2; exit 3");
    assert.ok(error instanceof CommandError);
    assert.equal(error.status, 3);
    assert.equal(error.reason, "bash said: first\nlast");
  });
});
