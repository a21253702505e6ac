import assert from "node:assert/strict";
import { grantCommand, grants, parseAcl, passCommand, passes } from "../../../provider/host/acl.js";

const open = `user::rwx
user:64055:rwx
group::rwx
group:106:rwx
mask::rwx
other::---
default:user::rwx
default:user:64055:rwx
default:group::rwx
default:group:106:rwx
default:mask::rwx
default:other::---
`;
const wanted = { qemuUser: 64055, others: "---" } as const;

describe("the access control list of a directory", () => {
  it("grants what it must, and may grant more to somebody whom an administrator added", () => {
    assert.equal(grants(parseAcl(open), wanted, 106), true);
    assert.equal(grants(parseAcl(`${open}user:1000:r-x\n`), wanted, 106), true);
  });

  const flaws: [string, string, string][] = [
    ["qemu's user is missing", "user:64055:rwx\ngroup::", "group::"],
    ["what is made in it would not be open to qemu", "default:user:64055:rwx\n", ""],
    ["the group is another", "group:106:", "group:107:"],
    ["the mask takes the rights away again", "mask::rwx\nother", "mask::r-x\nother"],
    ["others may look in", "other::---\ndefault", "other::--x\ndefault"],
    ["others could read what is made in it", "default:other::---", "default:other::r--"],
  ];
  for (const [what, from, to] of flaws) {
    it(`falls short where ${what}`, () => {
      assert.ok(open.includes(from));
      assert.equal(grants(parseAcl(open.replace(from, to)), wanted, 106), false);
    });
  }

  it("falls short where there is none but modes", () => {
    assert.equal(grants(parseAcl("user::rwx\ngroup::rwx\nother::---\n"), wanted, 106), false);
  });

  it("needs no entry for qemu where qemu runs as root", () => {
    const acl = parseAcl(open.replaceAll(/.*64055.*\n/g, ""));
    assert.equal(grants(acl, { others: "---" }, 106), true);
    assert.equal(grantCommand("/d", { others: "---" }).argv.join(" ").includes("user:0"), false);
  });

  it("is set with the same entries that are looked for", () => {
    const [, , entries = ""] = grantCommand("/d", wanted).argv;
    assert.equal(grants(parseAcl(entries.replaceAll(",", "\n").replaceAll("libvirt", "106")), wanted, 106), true);
  });
});

describe("the way to a directory", () => {
  const closed = "user::rwx\ngroup::r-x\nother::---\n";
  const owner = { uid: 1000, gid: 1000 };

  it("is closed to qemu and the group where nothing lets them pass", () => {
    assert.equal(passes(parseAcl(closed), owner, 106, 64055), false);
  });

  it("is open once both may pass, which lets them see nothing", () => {
    const { argv } = passCommand("/home/anna", 64055);
    assert.deepEqual(argv, ["setfacl", "--modify", "group:libvirt:--x,user:64055:--x", "--", "/home/anna"]);
    const after = `${closed}mask::r-x\nuser:64055:--x\ngroup:106:--x\n`;
    assert.equal(passes(parseAcl(after), owner, 106, 64055), true);
    assert.equal(passes(parseAcl(after.replace("user:64055", "user:7")), owner, 106, 64055), false);
    assert.equal(passes(parseAcl(after.replace("mask::r-x", "mask::r--")), owner, 106, 64055), false);
  });
});
