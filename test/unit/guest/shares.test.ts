import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sharesCredential } from "../../../provider/vm/shares.js";
import { firstUuid, GuestTree, secondUuid } from "./guest-tree.js";

const units = "run/systemd/system";
const shares = [
  { source: "/srv/a", target: "/home/user/my files", readOnly: false },
  { source: "/srv/b", target: "/mnt/b-c", readOnly: true },
];

describe("the shares of a guest", () => {
  let tree: GuestTree;
  before(function () {
    if (process.getuid?.() !== 0) this.skip(); // the identity service is root's
  });
  beforeEach(() => {
    tree = new GuestTree(mkdtempSync(join(tmpdir(), "vms-guest-")));
    tree.open();
  });
  afterEach(() => {
    rmSync(tree.root, { recursive: true, force: true });
  });

  const given = (value = sharesCredential(shares)["vms.shares"] ?? "", instance = firstUuid) => {
    tree.give({ instance, shares: value });
  };

  it("become mount units that last until the power is off, named as systemd names them", async () => {
    given();
    await tree.identity();
    assert.equal(tree.read("run/vms/identity"), `ok ${firstUuid}\n`);
    assert.deepEqual(tree.list(units), ["home-user-my\\x20files.mount", "mnt-b\\x2dc.mount"]);
    const [writable, readOnly] = tree.list(units).map((name) => tree.read(`${units}/${name}`));
    assert.match(
      writable ?? "",
      /^What=vms-share-[0-9a-f]{12}\nWhere=\/home\/user\/my files\nType=virtiofs\nOptions=rw,/m,
    );
    assert.match(readOnly ?? "", /^Where=\/mnt\/b-c\nType=9p\nOptions=ro,.*trans=virtio/m);
  });

  it("are taken at every boot, and one that is no longer given has no unit after it", async () => {
    given();
    await tree.identity();
    rmSync(join(tree.root, "run/systemd"), { recursive: true });
    given(sharesCredential(shares.slice(0, 1))["vms.shares"]);
    await tree.identity();
    assert.deepEqual(tree.list(units), ["home-user-my\\x20files.mount"]);
    assert.equal(tree.has("etc/systemd/system/home-user-my\\x20files.mount"), false, "nothing of it stays on the disk");
  });

  it("of another machine are not this one's", async () => {
    given(undefined, secondUuid);
    await tree.identity();
    assert.equal(tree.has(units), false);
  });

  for (const line of [
    "vms-share-0a ext4 rw /mnt",
    "sda virtiofs rw /mnt",
    "vms-share-0a 9p ro mnt",
    "vms-share-0a 9p ro /mnt/../etc",
  ]) {
    it(`are told as a failure where the host says "${line}", and nothing is mounted`, async () => {
      given(`${line}\n`);
      await tree.identity();
      assert.match(tree.read("run/vms/identity"), /^failed .*vms\.shares: /);
      assert.equal(tree.has(units), false);
    });
  }
});
