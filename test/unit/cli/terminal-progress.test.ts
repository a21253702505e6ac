import assert from "node:assert/strict";
import { formatSeconds, showProgress } from "../../../cli/terminal-progress.js";

function screen(
  isTTY: boolean,
  columns = 40,
): { written: string[]; isTTY: boolean; columns: number; write: (text: string) => void } {
  const written: string[] = [];
  return { written, isTTY, columns, write: (text) => written.push(text) };
}

describe("progress on the command line", () => {
  it("is a plain line a phase where there is no terminal, without details", () => {
    const plain = screen(false);
    const progress = showProgress(plain);
    progress.phase("fetching the ISO");
    progress.detail("12 of 900 MiB");
    progress.notice("read this");
    progress.phase("installing");
    progress.settle();
    assert.deepEqual(plain.written, ["fetching the ISO\n", "read this\n", "installing\n"]);
  });

  it("is one line on a terminal, overwritten, with the time that the phase has taken", () => {
    const live = screen(true);
    let now = 0;
    const progress = showProgress(live, () => now);
    progress.phase("installing");
    now = 65_000;
    progress.detail("41 of 187");
    progress.settle();
    assert.deepEqual(live.written, [
      "\r\u001b[2Kinstalling (0 s)",
      "\r\u001b[2Kinstalling: 41 of 187 (1 min 5 s)",
      "\r\u001b[2Kinstalling... done (1 min 5 s)\n",
    ]);
  });

  for (const outcome of ["failed", "stopped"] as const) {
    it(`says of the phase that was shown at the end that it ${outcome === "failed" ? "failed" : "was stopped"}`, () => {
      const live = screen(true);
      const progress = showProgress(live, () => 0);
      progress.phase("installing");
      progress.settle(outcome);
      assert.equal(live.written.at(-1), `\r\u001b[2Kinstalling... ${outcome} (0 s)\n`);
    });
  }

  it("keeps a finished phase as a line with its time when the next begins", () => {
    const live = screen(true);
    const progress = showProgress(live, () => 0);
    progress.phase("one");
    progress.phase("two");
    progress.settle();
    assert.deepEqual(live.written.slice(1, 3), ["\r\u001b[2Kone... done (0 s)\n", "\r\u001b[2Ktwo (0 s)"]);
  });

  it("never writes a live line that would wrap, since that could not be overwritten", () => {
    const live = screen(true, 20);
    const progress = showProgress(live, () => 0);
    progress.phase("a phase\nwith a name that is much too long");
    progress.settle();
    const text = live.written[0]?.replace("\r\u001b[2K", "") ?? "";
    assert.equal(text, "a phase with a nam…");
    assert.equal(text.length, 19);
  });

  it("puts a notice above the live line, which comes back behind it", () => {
    const live = screen(true);
    const progress = showProgress(live, () => 0);
    progress.phase("installing");
    progress.notice("read this");
    progress.settle();
    assert.deepEqual(live.written.slice(1, 3), ["\r\u001b[2Kread this\n", "\r\u001b[2Kinstalling (0 s)"]);
  });

  it("writes nothing where a detail comes outside of a phase", () => {
    const live = screen(true);
    const progress = showProgress(live, () => 0);
    progress.detail("41 of 187");
    progress.settle();
    assert.deepEqual(live.written, []);
  });
});

describe("a time", () => {
  for (const [milliseconds, shown] of [
    [0, "0 s"],
    [59_999, "59 s"],
    [60_000, "1 min 0 s"],
    [3_725_000, "62 min 5 s"],
  ] as const) {
    it(`of ${milliseconds} ms is shown as ${shown}`, () => assert.equal(formatSeconds(milliseconds), shown));
  }
});
