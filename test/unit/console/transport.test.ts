import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, describe, it } from "mocha";
import type { Transport } from "../../../provider/console/transport.js";
import { closeAll, start } from "./open.js";

/** All that a program prints until it ends. */
async function readAll(transport: Transport): Promise<string> {
  let text = "";
  transport.listen((piece) => (text += piece));
  await transport.ended;
  return text;
}

describe("transport", () => {
  afterEach(closeAll);

  it("hands over everything that a program prints before it ends, and its status", async () => {
    const transport = start(["bash", "-c", "seq 1 20000; exit 7"]);
    const lines = (await readAll(transport)).split("\n");
    assert.equal(lines.length, 20_001);
    assert.equal(lines[19_999], "20000");
    assert.deepEqual(await transport.ended, { status: 7, failure: undefined });
  });

  it("keeps what came before anybody listened", async () => {
    const transport = start(["bash", "-c", "echo early"]);
    await transport.ended;
    assert.equal(await readAll(transport), "early\n");
  });

  it("puts a character together that comes in two reads", async () => {
    const transport = start([
      "bash",
      "-c",
      String.raw`printf '\xe2'; sleep 0.2; printf '\x82'; sleep 0.2; printf '\xac\n'`,
    ]);
    assert.equal(await readAll(transport), "€\n");
  });

  it("types into the program", async () => {
    const transport = start(["bash", "-c", 'read -r line; echo "got $line"']);
    transport.write("naïve\n");
    assert.match(await readAll(transport), /got naïve\n/);
  });

  it("gives the program a terminal", async () => {
    assert.match(await readAll(start(["tty"])), /^\/dev\/pts\//);
  });

  it("logs plain text without secrets", async () => {
    const transport = start(["bash", "-c", String.raw`printf '\e[31mtoken\e[0m hun'; sleep 0.2; printf 'ter2\0\r\n'`], {
      secrets: ["hunter2"],
    });
    await readAll(transport);
    assert.equal(readFileSync(transport.log ?? "", "utf8"), "token ********\n");
  });

  it("ends a program that catches the gentler signals", async () => {
    const transport = start(["bash", "-c", "trap '' HUP TERM INT; echo ready; while :; do sleep 1; done"]);
    await new Promise<void>((resolve) => transport.listen((text) => text.includes("ready") && resolve()));
    await transport.close();
    assert.equal((await transport.ended).status, 128 + 9);
  });

  it("ends the program and tells why where its output cannot be logged", async () => {
    const transport = start(["bash", "-c", "while :; do echo more; sleep 0.1; done"], { log: "/dev/full" });
    const { failure } = await transport.ended;
    assert.match(String(failure), /console log \/dev\/full cannot be written: the disk is full/);
  });

  it("starts nothing where the log cannot be opened", () => {
    assert.throws(() => start(["true"], { log: "/dev/null/log" }), /Cannot|cannot be opened/);
  });
});
