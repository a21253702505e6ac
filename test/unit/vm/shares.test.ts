import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasCode } from "../../../provider/errors.js";
import { shareTag } from "../../../provider/libvirt/shares-edit.js";
import { checkShares, sharesCredential } from "../../../provider/vm/shares.js";

describe("what a share needs of the host", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "vms-shares-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  function announce(binary: string): string {
    const directory = join(root, "vhost-user");
    mkdirSync(directory);
    writeFileSync(join(directory, "40-gpu.json"), JSON.stringify({ type: "gpu", binary: "/bin/sh" }));
    writeFileSync(join(directory, "50-fs.json"), JSON.stringify({ type: "fs", binary }));
    return directory;
  }

  const share = (source: string, readOnly = false) => ({ source, target: "/mnt", readOnly });

  it("is a directory: what is not there, or is a file, is refused by name", async () => {
    const directories = [announce("/bin/sh")];
    await checkShares([share(root)], directories);
    const missing = join(root, "missing");
    await assert.rejects(checkShares([share(root), share(missing)], directories), {
      code: "input",
      message: new RegExp(`${missing} cannot be shared: it does not exist\\n.*Make it`),
    });
    await assert.rejects(
      checkShares([share(join(directories[0] ?? "", "50-fs.json"))], directories),
      /not a directory/,
    );
  });

  it("is virtiofsd, but for one that is read only", async () => {
    const without = [announce(join(root, "gone")), join(root, "no-such-directory")];
    await checkShares([share(root, true)], without);
    await checkShares([], without);
    await assert.rejects(checkShares([share(root)], without), (error) => hasCode(error, "requirement"));
    const binary = join(root, "gone");
    writeFileSync(binary, "");
    chmodSync(binary, 0o755);
    await checkShares([share(root)], without);
  });

  it("is told to the guest in a line each, and not at all where there is none", () => {
    assert.deepEqual(sharesCredential(), {});
    assert.deepEqual(sharesCredential([]), {});
    const tags = ["/mnt/a", "/mnt/b c"].map((target) => shareTag({ target }));
    const shares = [share("/srv"), share("/opt", true)];
    const given = shares.map((one, index) => ({ ...one, target: ["/mnt/a", "/mnt/b c"][index] ?? "" }));
    assert.deepEqual(sharesCredential(given), {
      "vms.shares": `${tags[0]} virtiofs rw /mnt/a\n${tags[1]} 9p ro /mnt/b c\n`,
    });
  });
});
