import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, it } from "mocha";
import { ConsoleLog, hideSecrets } from "../../../provider/console/console-log.js";
import { hasCode } from "../../../provider/errors.js";
import { closeAll, makeFolder } from "./open.js";

describe("console log", () => {
  afterEach(closeAll);

  it("holds what was written, a last line without an end included", () => {
    const path = join(makeFolder(), "log");
    const log = new ConsoleLog(path, []);
    for (const text of ["one\ntw", "o\nthr", "ee"]) log.write(text);
    log.close();
    assert.equal(readFileSync(path, "utf8"), "one\ntwo\nthree\n");
  });

  it("never holds a secret, even one that comes in pieces", () => {
    const path = join(makeFolder(), "log");
    const log = new ConsoleLog(path, ["hunter2"]);
    for (const letter of "password hunter2!\nhunter2") log.write(letter);
    log.close();
    assert.equal(readFileSync(path, "utf8"), "password ********!\n********\n");
  });

  it("adds to what is there and keeps other users out", () => {
    const path = join(makeFolder(), "log");
    for (const text of ["first\n", "second\n"]) {
      const log = new ConsoleLog(path, []);
      log.write(text);
      log.close();
    }
    assert.equal(readFileSync(path, "utf8"), "first\nsecond\n");
    assert.equal(statSync(path).mode & 0o007, 0);
  });

  it("names the file that cannot be opened", () => {
    const path = join(makeFolder(), "missing", "log");
    assert.throws(
      () => new ConsoleLog(path, []),
      (error: unknown) => hasCode(error, "permission") && (error as Error).message.includes(path),
    );
  });
});

describe("hiding secrets", () => {
  it("hides the whole of a secret that another is a part of, and each line of one with several", () => {
    assert.equal(hideSecrets("abc abcd x y", ["abc", "abcd", "", "x\ny"]), "******** ******** ******** ********");
  });
});
