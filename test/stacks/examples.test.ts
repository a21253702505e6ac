/** The examples, as somebody's own programs elsewhere that have installed the package. */
import assert from "node:assert/strict";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { packageFiles } from "../../provider/paths.js";
import { openSmallScene } from "../support/small-scene.js";

const examples = join(packageFiles.root, "examples");

/** How many resources each makes, its stack among them. */
const resources: Readonly<Record<string, number>> = { desktops: 4, "throw-away": 4, "web-server": 3 };

describe("the examples (real pulumi)", () => {
  it("are all named here", () => {
    const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(folders.map(({ name }) => name).sort(), Object.keys(resources).sort());
  });

  for (const [name, count] of Object.entries(resources))
    it(`${name} can be previewed as it is`, async () => {
      const scene = await openSmallScene();
      const stack = await scene.stack(`example-${name}`);
      const ownProject = join(examples, name, "Pulumi.yaml");
      cpSync(join(examples, name), stack.folder, { recursive: true, filter: (file) => file !== ownProject });
      const { status, output } = await stack.preview();
      assert.equal(status, 0, output);
      assert.match(output, new RegExp(`\\+ ${count} to create`));
    });
});
