import assert from "node:assert/strict";
import { parseOsRelease, readDistribution } from "../../../provider/host/distribution.js";
import { FakeHost } from "./fake-host.js";

describe("the distribution", () => {
  const cases: [string, string, string][] = [
    ['ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"', "debian", "debian"],
    ["ID=ubuntu\nID_LIKE=debian", "ubuntu", "debian"],
    ['ID=linuxmint\nID_LIKE="ubuntu debian"', "linuxmint", "debian"],
    ["ID=arch", "arch", "arch"],
    ["ID='manjaro'\nID_LIKE='arch'", "manjaro", "arch"],
    [
      'ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nPRETTY_NAME="openSUSE Tumbleweed"',
      "opensuse-tumbleweed",
      "other",
    ],
    ["# nothing of use", "linux", "other"],
  ];
  for (const [text, id, family] of cases) {
    it(`takes ${id} for one of the family ${family}`, () => {
      const distribution = parseOsRelease(text);
      assert.deepEqual([distribution.id, distribution.family], [id, family]);
    });
  }

  it("calls it what a person calls it", () => {
    assert.equal(parseOsRelease('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12"').name, "Debian GNU/Linux 12");
  });

  it("is looked up in /usr/lib where /etc has no os-release, and is another one where neither has", async () => {
    const fake = new FakeHost();
    try {
      assert.equal((await readDistribution(fake.host)).family, "other");
      fake.write("usr/lib/os-release", "ID=arch\n");
      assert.equal((await readDistribution(fake.host)).id, "arch");
    } finally {
      fake.remove();
    }
  });
});
