import assert from "node:assert/strict";
import { stackOwner } from "../../provider/owner.js";

const urn = (stack: string, project = "home") =>
  `urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/vms:ArchVm::work`;
const at = (url: string) => ({ PULUMI_BACKEND_URL: url });

describe("the owner of a stack's VM", () => {
  it("is the same for every resource of a stack, and names the stack", () => {
    const [one, other] = [
      stackOwner(urn("dev"), "org", at("file:///a")),
      stackOwner(`${urn("dev")}2`, "org", at("file:///a")),
    ];
    assert.equal(one.id, other.id);
    assert.match(one.label, /stack dev of home/);
  });

  it("differs between two checkouts whose stacks bear the same name", () => {
    assert.notEqual(
      stackOwner(urn("dev"), "org", at("file:///a/state")).id,
      stackOwner(urn("dev"), "org", at("file:///b/state")).id,
    );
  });

  it("differs between stacks, and between projects", () => {
    const ids = [urn("dev"), urn("prod"), urn("dev", "work")].map(
      (name) => stackOwner(name, "org", at("https://x")).id,
    );
    assert.equal(new Set(ids).size, 3);
  });

  it("does not depend on how the path of a backend is written", () => {
    assert.equal(
      stackOwner(urn("dev"), "org", at("file:///a/b")).id,
      stackOwner(urn("dev"), "org", at("file:///a/./b/")).id,
    );
    assert.equal(
      stackOwner(urn("dev"), "org", at("file://.")).id,
      stackOwner(urn("dev"), "org", at(`file://${process.cwd()}`)).id,
    );
  });

  it("shows no path", () => {
    assert.match(stackOwner(urn("dev"), "org", at("file:///secret/place")).id, /^stack:[0-9a-f]{16}$/);
  });

  it("is refused for what is not a URN", () => {
    assert.throws(() => stackOwner("work", "org", {}), /not the URN/);
  });
});
