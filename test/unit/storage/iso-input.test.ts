import assert from "node:assert/strict";
import { silent } from "../../../provider/progress.js";
import { resolveSettings } from "../../../provider/settings.js";
import { type IsoInput, checkIsoInput, ensureIso } from "../../../provider/storage/iso.js";

const sha256 = "0".repeat(64);

describe("what may be given as iso", () => {
  for (const input of [
    undefined,
    "/var/lib/libvirt/iso/arch.iso",
    "/home/me/My ISOs/arch, new.iso",
    "https://mirror.example/iso/latest/archlinux-x86_64.iso",
    "http://127.0.0.1:8080/arch.iso",
    "http://localhost/arch.iso",
    { url: "https://mirror.example/arch.iso", sha256 },
    { url: "https://mirror.example/arch.iso", sha256: "ABCDEF0123456789".repeat(4) },
  ]) {
    it(`takes ${input === undefined ? "nothing" : JSON.stringify(input)}`, () => {
      assert.equal(checkIsoInput(input), undefined);
    });
  }

  for (const [input, sentence] of [
    ["", /is empty/],
    ["arch.iso", /"arch.iso" is a relative path: write an absolute path/],
    ["~/arch.iso", /relative path/],
    ["/a\nb.iso", /a character that no path may have/],
    ["http://mirror.example/arch.iso", /unprotected: write https/],
    ["http://127.0.0.1.example/arch.iso", /unprotected/],
    ["ftp://mirror.example/arch.iso", /scheme/],
    ["file:///a/arch.iso", /write its path, "\/a\/arch.iso"/],
    ["https://", /not a URL/],
    ["https://mirror.example/100%.iso", /write %25/],
    ["https://mirror.example/iso/", /names a folder/],
    ["https://me:secret@mirror.example/arch.iso", /^the ISO's URL holds a user or a password: it must not$/],
    [5, /write an absolute path/],
    [null, /write an absolute path/],
    [["/a.iso"], /write an absolute path/],
    [{}, /url is missing/],
    [{ url: "https://mirror.example/arch.iso" }, /sha256 is missing/],
    [{ url: "https://mirror.example/arch.iso", sha256: "abc" }, /"abc" is not 64 hexadecimal digits/],
    [{ url: "https://mirror.example/arch.iso", sha256: 5 }, /sha256 is missing/],
    [{ url: "/a/arch.iso", sha256 }, /is a path: give a path as it is, iso: "\/a\/arch.iso"/],
    [{ url: "http://mirror.example/arch.iso", sha256 }, /unprotected/],
    [{ url: "https://mirror.example/arch.iso", sha256, md5: "x" }, /no property md5/],
  ] as const) {
    it(`refuses ${JSON.stringify(input)} with a sentence`, () => {
      assert.match(checkIsoInput(input) ?? "", sentence);
    });
  }

  it("is checked again where it is used, by the same sentence", async () => {
    const { settings } = resolveSettings({ iso: "/nonexistent/iso" }, { VMS_CONF: "/dev/null" });
    const context = { settings, progress: silent };
    await assert.rejects(ensureIso("arch.iso", context), {
      code: "input",
      message: /^Cannot use ISO "arch.iso": the ISO "arch.iso" is a relative path/,
    });
    await assert.rejects(ensureIso({ url: "arch.iso" } as IsoInput, context), {
      code: "input",
      message: /sha256 is missing/,
    });
  });
});
