import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { HostBootstrap } from "../../../resources/host-bootstrap.js";

describe("the class HostBootstrap", () => {
  let registered: { type: string; inputs: Record<string, unknown> }[];
  before(async () => {
    await pulumi.runtime.setMocks({
      newResource: ({ type, inputs, name }) => {
        registered.push({ type, inputs: inputs as Record<string, unknown> });
        return { id: name, state: { ...inputs, acceleration: "tcg" } as Record<string, unknown> };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    });
  });
  beforeEach(() => {
    registered = [];
  });
  const value = <T>(output: pulumi.Output<T>): Promise<T> => new Promise((resolve) => void output.apply(resolve));

  it("keeps a small provider in the state, without library code, paths or its own surroundings", async () => {
    const host = new HostBootstrap("host", { user: "anna" });
    await value(host.urn);
    const resource = registered[0];
    assert.equal(resource?.type, "pulumi-nodejs:dynamic/vms:HostBootstrap");
    const text = String(resource.inputs["__provider"]);
    assert.ok(text.length > 200 && text.length < 3000, `${text.length} characters`);
    assert.match(text, /import\("pulumi-vms\/provider\/host-bootstrap"\)/);
    assert.doesNotMatch(text, /require\(|node_modules|\/home|\/work|execa/);
  });

  it("hands in what the provider cannot know: the settings of the program and its own URN", async () => {
    const host = new HostBootstrap("host", { user: "anna", packages: ["htop"] });
    const urn = await value(host.urn);
    const { inputs = {} } = registered[0] ?? {};
    assert.deepEqual([inputs["user"], inputs["packages"], inputs["settings"]], ["anna", ["htop"], {}]);
    assert.equal(inputs["resourceUrn"], urn);
    assert.equal(await value(host.acceleration), "tcg");
  });
});
