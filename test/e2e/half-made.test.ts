/** What becomes of a VM whose making fails when its domain is there. */
import assert from "node:assert/strict";
import { inGuest } from "../support/guest.js";
import type { Stack } from "../support/project.js";
import { openScene, type Scene, vmProgram } from "../support/scene.js";

describe("an ArchVm whose making fails when its domain is there", () => {
  let scene: Scene;
  let stack: Stack;
  const name = `vms-e2e-half-${process.pid}`;

  before(async () => {
    scene = await openScene();
    await scene.prepareHost();
    stack = await scene.stack(name);
  });

  // A story that failed may have left VMs of its own.
  const uuids = async () => (await scene.domains()).filter((domain) => domain.name === name).map(({ uuid }) => uuid);
  const program = (more: string) => vmProgram(scene, "vm", `name: ${JSON.stringify(name)}, ${more}`);

  async function failToBoot(because: RegExp, more: string): Promise<string> {
    stack.write(program(more));
    const { status, output } = await stack.up();
    assert.notEqual(status, 0);
    assert.match(output, because);
    assert.match(await stack.state(), /initErrors/);
    const [uuid, ...others] = await uuids();
    assert.deepEqual(others, []);
    return uuid ?? assert.fail("its domain is not there");
  }
  const late = () => failToBoot(/no answer of the guest agent .* within 1 s/, "timeouts: { boot: 1 }");

  it("is kept in the state, and removed with its files by destroy", async () => {
    if (!scene.files().some((file) => file.endsWith(".json"))) {
      stack.write(program(""));
      assert.equal((await stack.up()).status, 0, "an image");
      assert.equal((await stack.destroy()).status, 0);
    }
    const before = scene.files();
    await late();
    assert.equal((await stack.destroy()).status, 0);
    assert.deepEqual(await uuids(), []);
    assert.deepEqual(scene.files(), before);
  });

  it("is made whole by the next up, under the same UUID, and by one behind an identity that the guest refuses", async () => {
    const uuid = await late();
    const refused = /could not take its identity on: vms\.locale: there is no locale "xx_XX\.UTF-8"/;
    assert.equal(await failToBoot(refused, `locale: "xx_XX.UTF-8"`), uuid);
    stack.write(program(`locale: "de_DE.UTF-8"`));
    const { status, output } = await stack.up();
    assert.equal(status, 0, output);
    assert.deepEqual(await uuids(), [uuid]);
    assert.equal(await inGuest(uuid, "cat /etc/locale.conf"), "LANG=de_DE.UTF-8");
    assert.equal((await stack.up("--expect-no-changes")).status, 0);
  });

  it("is not touched by another checkout whose stack bears the same name", async () => {
    const other = await scene.stack(`${name}-other-checkout`);
    other.write(program(""));
    const { status, output } = await other.up();
    assert.notEqual(status, 0);
    assert.match(output, new RegExp(`Cannot create VM "${name}": it belongs to the stack dev of e2e`));
    assert.equal((await other.destroy()).status, 0);
    assert.equal((await uuids()).length, 1);
    assert.equal((await stack.destroy()).status, 0);
    assert.deepEqual(await uuids(), []);
  });
});
