import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { ArchVm } from "../../../resources/arch-vm.js";
import { VmClone } from "../../../resources/vm-clone.js";

describe("the class VmClone", () => {
  let registered: Map<string, Record<string, unknown>>;
  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ inputs, name }) => {
        registered.set(name, inputs as Record<string, unknown>);
        return { id: name, state: { ...inputs } as Record<string, unknown> };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    });
  });
  beforeEach(() => {
    registered = new Map();
  });
  const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => void output.apply(resolve));

  it("takes its source as a name, an output, an ArchVm or another VmClone", async () => {
    const work = new ArchVm("work", { name: "working" });
    const child = new VmClone("child", { source: work });
    const sources = { a: "by-name", b: pulumi.output("by-output"), c: work, d: child };
    for (const [name, source] of Object.entries(sources)) await value(new VmClone(name, { source }).urn);
    const given = Object.keys(sources).map((name) => registered.get(name)?.["source"]);
    assert.deepEqual(given, ["by-name", "by-output", "working", "child"]);
  });

  it("keeps a small provider in the state, without library code, paths or its own surroundings", async () => {
    await value(new VmClone("copy", { source: "work", ...({ memory: undefined } as object) }).urn);
    const inputs = registered.get("copy") ?? {};
    const text = String(inputs["__provider"]);
    assert.ok(text.length > 200 && text.length < 3000, `${text.length} characters`);
    assert.match(text, /import\("pulumi-vms\/provider\/vm-clone"\)/);
    assert.doesNotMatch(text, /require\(|node_modules|\/home|\/work|execa/);
    assert.equal("memory" in inputs, false);
  });
});
