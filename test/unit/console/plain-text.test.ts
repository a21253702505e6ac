import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { PlainText } from "../../../provider/console/plain-text.js";

function plain(...pieces: string[]): string {
  const text = new PlainText();
  return pieces.map((piece) => text.push(piece)).join("") + text.flush();
}

describe("plain text of a terminal", () => {
  it("takes out colours, cursor movements, modes and character sets", () => {
    assert.equal(
      plain("\u001b[1;31mroot\u001b[39m\u001b[0m@\u001b[?2004h\u001b(B\u001b=x\u001b[2 q\u001b[6n"),
      "root@x",
    );
  });

  it("takes out titles and other strings, ended by BEL or by ST", () => {
    assert.equal(plain("a\u001b]0;title\u0007b\u001b]3008;start=1\u001b\\c\u001bP+q4d\u001b\\d"), "abcd");
  });

  it("takes out NULs and control characters and keeps tabs and letters of every script", () => {
    assert.equal(plain("\0l\0og\u0008in\u007f\u009b: \tnaïve – 日本\u0007"), "login: \tnaïve – 日本");
  });

  it("makes every line end a line feed and keeps a lone carriage return", () => {
    assert.equal(plain("a\r\nb\r\r\nc\r\0\nd\n1%\r2%"), "a\nb\nc\nd\n1%\r2%");
  });

  it("says the same wherever the stream is cut", () => {
    const stream =
      "\u001b[2J\0BdsDxe\r\0\n\u001b]0;t\u001b\\x\u001b[1mlog\u001b[0min: \u001bP1$r\u001b\\日\r\r\nend\u001b[K";
    const whole = plain(stream);
    assert.equal(whole, "BdsDxe\nxlogin: 日\nend");
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        assert.equal(plain(stream.slice(0, first), stream.slice(first, second), stream.slice(second)), whole);
      }
    }
  });

  it("takes a string that never ends as text, instead of swallowing all that follows", () => {
    const text = plain("\u001b]0;", "x".repeat(3000), "y".repeat(3000), "\nlogin: ");
    assert.match(text, /xy+\nlogin: $/);
  });
});
