import assert from "node:assert/strict";
import { replacing } from "../../provider/arch-vm-inputs.js";
import { diffVm } from "../../provider/vm-diff.js";

const olds = { hostname: "one", packages: ["git", "vim"], authorizedKeys: ["k"], password: "$2b$old", phase: "ready" };

const lines = (changes: Record<string, unknown>, runs?: boolean): string[] => {
  const { lines: all, replaces } = diffVm(replacing, olds, { ...olds, ...changes }, () => runs);
  assert.deepEqual(replaces, []);
  return all;
};

describe("the words for a change inside of the guest", () => {
  it("say when a setting is taken: at once, at the next boot, or which of them where nobody could tell", () => {
    assert.deepEqual(lines({ hostname: "two" }, true), ["hostname one -> two: in place, at once"]);
    assert.deepEqual(lines({ hostname: "two" }, false), ["hostname one -> two: in place, at the next boot"]);
    assert.deepEqual(lines({ hostname: "two" }), [
      "hostname one -> two: in place, at once if it runs, else at the next boot",
    ]);
  });

  it("say what becomes of keys that are taken out", () => {
    assert.match(lines({ authorizedKeys: [] }, true)[0] ?? "", /keys that were given before go, and sshd is off/);
    assert.doesNotMatch(lines({ authorizedKeys: ["l"] }, true)[0] ?? "", /go, and sshd/);
    assert.match(lines({ authorizedKeys: undefined }, true)[0] ?? "", /not set: left as they are$/);
  });

  it("say that a VM that is off is started for a password, and shut down again unless it is to run", () => {
    assert.deepEqual(lines({ password: "$2b$new" }, true), ["password changes: in place, at once"]);
    assert.match(
      lines({ password: "$2b$new" }, false)[0] ?? "",
      /the VM is off: it is started for it and shut down again$/,
    );
    assert.match(lines({ password: "$2b$new", running: true }, false)[0] ?? "", /it is started for it$/);
    assert.match(lines({ password: "$2b$new" })[0] ?? "", /a VM that is off is started for it and shut down again$/);
  });

  it("say that an account whose password is taken out is locked", () => {
    assert.match(lines({ password: undefined }, true)[0] ?? "", /locked again, and sudo asks for none$/);
  });

  it("say that added packages bring a whole upgrade, and that those taken out stay", () => {
    const [line = ""] = lines({ packages: ["git", "nano"] }, false);
    assert.match(line, /nano: installed in place by pacman -Syu, which upgrades the whole system/);
    assert.match(
      line,
      /does not support partial upgrades\); the VM is off: it is started for it and shut down again; vim: recorded/,
    );
    assert.match(line, /vim: recorded; what is taken out of the list stays installed$/);
    const [removed = ""] = lines({ packages: ["git"] }, false);
    assert.doesNotMatch(removed, /pacman|started/);
  });

  it("say that adopt matters only when a VM is made", () => {
    assert.deepEqual(lines({ adopt: true }), ["adopt not set -> true: recorded; it matters only when a VM is made"]);
  });
});
