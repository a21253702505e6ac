import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attribute, elements, find, parseXml } from "../../../provider/libvirt/xml.js";
import { snapshotXml, switchDisks } from "../../../provider/libvirt/snapshot.js";
import { useFolder } from "../storage/temporary.js";

describe("switching a running domain's disks", () => {
  const folder = useFolder();
  const path = process.env["PATH"];
  afterEach(() => {
    process.env["PATH"] = path;
  });

  /** A virsh that says this where it is to quiesce, and else succeeds; returns how it was called. */
  function fakeVirsh(said: string): () => string[] {
    const calls = join(folder(), "calls");
    const script = `#!/bin/sh\necho "$*" >>${calls}\ncase "$*" in *--quiesce*) echo "error: ${said}" >&2; exit 1 ;; esac\n`;
    writeFileSync(join(folder(), "virsh"), script, { mode: 0o755 });
    process.env["PATH"] = `${folder()}:${path ?? ""}`;
    return () => readFileSync(calls, "utf8").trim().split("\n");
  }
  const switchOne = () => switchDisks("qemu:///system", "a-uuid", [{ target: "vda", file: "/new" }], ["sda"], true);

  it("goes on without quiescing where the agent answers and cannot freeze, and says that", async () => {
    const failures = [
      "internal error: unable to execute QEMU agent command 'guest-fsfreeze-freeze': failed to freeze /boot: Operation not supported",
      "Guest agent is not responding: guest agent didn't respond to command within '60' seconds",
    ];
    for (const said of failures) {
      const calls = fakeVirsh(said);
      assert.equal(await switchOne(), false);
      assert.deepEqual(
        calls()
          .slice(-2)
          .map((call) => call.includes("--quiesce")),
        [true, false],
      );
    }
  });

  it("fails for any other reason, and does not try again", async () => {
    const calls = fakeVirsh("internal error: unable to execute QEMU command 'transaction': no space left on device");
    await assert.rejects(switchOne(), /no space left/);
    assert.equal(calls().length, 1);
  });

  it("names the disks that are switched and those that stay, and leaves files with their owners", () => {
    const disks = find(parseXml(snapshotXml([{ target: "vda", file: "/a&b" }], ["sda"])), "domainsnapshot", "disks");
    assert.ok(disks);
    const [one, other] = elements(disks, "disk");
    assert.deepEqual([attribute(one, "name"), attribute(one, "snapshot")], ["vda", "external"]);
    assert.ok(one);
    const [source] = elements(one, "source");
    assert.equal(attribute(source, "file"), "/a&b");
    assert.equal(source && attribute(elements(source, "seclabel")[0], "relabel"), "no");
    assert.deepEqual([attribute(other, "name"), attribute(other, "snapshot")], ["sda", "no"]);
  });
});
