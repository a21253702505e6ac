import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Deadline, poll } from "../../../provider/host/deadline.js";
import { hasCode } from "../../../provider/errors.js";

describe("deadline", () => {
  it("is passed when its time is over, and not before", () => {
    assert.equal(new Deadline(0).passed, true);
    assert.equal(new Deadline(1000).passed, false);
  });

  it("gives timers no more than they take, however far away it is", () => {
    assert.equal(new Deadline(Infinity).remaining, 2 ** 31 - 1);
  });

  it("lasts no longer within a shorter one or a longer one", () => {
    assert.ok(new Deadline(1000).within(5).remaining <= 5000);
    assert.ok(new Deadline(5).within(1000).remaining <= 5000);
  });
});

describe("polling", () => {
  it("looks until there is something", async () => {
    const answers = [undefined, undefined, "there"];
    const found = await poll(async () => Promise.resolve(answers.shift()), { deadline: new Deadline(60), every: 1 });
    assert.equal(found, "there");
  });

  it("looks once where the deadline has passed, and says that there is nothing", async () => {
    let looks = 0;
    const found = await poll<string>(
      async () => {
        looks++;
        return Promise.resolve(undefined);
      },
      { deadline: new Deadline(0) },
    );
    assert.equal(found, undefined);
    assert.equal(looks, 1);
  });

  it("ends at once when it is cancelled", async () => {
    const signal = AbortSignal.timeout(20);
    const polling = poll(async () => Promise.resolve(undefined), {
      deadline: new Deadline(600),
      every: 600_000,
      signal,
    });
    await assert.rejects(polling, (error: unknown) => hasCode(error, "cancelled"));
  });

  it("passes on the failure of a look", async () => {
    const polling = poll(async () => Promise.reject(new Error("broken")), { deadline: new Deadline(600) });
    await assert.rejects(polling, /broken/);
  });
});
