import assert from "node:assert/strict";
import { appendFile, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { followLog, readLog } from "../../../provider/console/log-reader.js";
import { hasCode } from "../../../provider/errors.js";

describe("the log of a console", () => {
  let directory: string;
  let path: string;
  let said: string;
  let awaited: { text: string; resolve: () => void } | undefined;
  const emit = (text: string): void => {
    said += text;
    if (awaited !== undefined && said.includes(awaited.text)) awaited.resolve();
  };
  /** Resolves when that much was handed over. */
  const until = (text: string): Promise<void> =>
    new Promise((resolve) => {
      awaited = { text, resolve };
      if (said.includes(text)) resolve();
    });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "vms-log-"));
    path = join(directory, "web.log");
    said = "";
    awaited = undefined;
  });
  afterEach(() => rm(directory, { recursive: true }));

  it("is read with what it was rotated to, the oldest first, and without what would steer a terminal", async () => {
    await writeFile(`${path}.10`, "one\n");
    await writeFile(`${path}.2`, "two\n");
    await writeFile(`${path}.0`, "three \u001b[1;31mred\u001b[0m\n");
    await writeFile(path, "four\r\nweb login: \u001b]0;title\u0007");
    await writeFile(join(directory, "web.log.old"), "not of it");
    await readLog(path, emit);
    assert.equal(said, "one\ntwo\nthree red\nfour\nweb login: ");
  });

  it("is followed over a letter in two pieces and over a rotation, until it is over", async () => {
    await writeFile(path, "before\n");
    let over = false;
    const following = followLog(path, emit, { isOver: () => Promise.resolve(over) });
    await until("before\n");
    const [first, second] = [Buffer.from("ü").subarray(0, 1), Buffer.from("ü").subarray(1)];
    await appendFile(path, Buffer.concat([Buffer.from("half "), first]));
    await until("half ");
    await appendFile(path, Buffer.concat([second, Buffer.from(" whole\n")]));
    await until(" whole\n");
    await rename(path, `${path}.0`);
    await writeFile(path, "behind the rotation\n");
    await until("behind the rotation\n");
    await appendFile(path, "its last words");
    over = true;
    await following;
    assert.equal(said, "before\nhalf ü whole\nbehind the rotation\nits last words");
  });

  it("is read to its end where it is removed meanwhile", async () => {
    await writeFile(path, "before\n");
    let over = false;
    const following = followLog(path, emit, { isOver: () => Promise.resolve(over) });
    await until("before\n");
    await appendFile(path, "its last words\n");
    await rm(path);
    over = true;
    await following;
    assert.equal(said, "before\nits last words\n");
  });

  it("is followed until it is cancelled", async () => {
    await writeFile(path, "");
    const stop = new AbortController();
    const following = followLog(path, emit, { isOver: () => Promise.resolve(false), signal: stop.signal });
    stop.abort();
    await assert.rejects(following, (error) => hasCode(error, "cancelled"));
  });

  it("that is not there is an error that names it", async () => {
    await assert.rejects(readLog(path, emit), (error) => hasCode(error, "gone") && String(error).includes(path));
  });
});
