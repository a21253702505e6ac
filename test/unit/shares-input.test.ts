import assert from "node:assert/strict";
import { checkArchVm } from "../../provider/arch-vm-inputs.js";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function check(shares: unknown) {
  const { inputs, failures } = checkArchVm(undefined, { name: "work", profile: "minimal", shares }, { HOME: "/none" });
  return { shares: inputs["shares"], failures };
}

describe("the shares of an ArchVm", () => {
  it("are taken with their default, and stay out where none is given", () => {
    assert.deepEqual(check([{ source: "/srv/a b", target: "/home/user/a" }]), {
      shares: [{ source: "/srv/a b", target: "/home/user/a", readOnly: false }],
      failures: [],
    });
    assert.deepEqual(check(undefined), { shares: undefined, failures: [] });
    assert.deepEqual(check([]), { shares: [], failures: [] });
  });

  it("are let through where something of them is not known yet", () => {
    const shares = [{ source: unknown, target: "/mnt" }];
    assert.deepEqual(check(shares), { shares, failures: [] });
  });

  for (const [what, shares, reason] of [
    ["not a list", "/srv", /is not a list/],
    ["a path instead of a share", ["/srv"], /\[0\] "\/srv" is not \{ source, target/],
    ["a property that there is not", [{ source: "/srv", target: "/mnt", readonly: true }], /there is no readonly/],
    ["a relative source", [{ source: "srv", target: "/mnt" }], /source: "srv" is not an absolute path/],
    ["a source that is not plain", [{ source: "/srv/../etc/", target: "/mnt" }], /source: .* write \/etc$/],
    ["a target that is not given", [{ source: "/srv" }], /target: undefined is not an absolute path/],
    ["a target that ends in a slash", [{ source: "/srv", target: "/mnt/" }], /target: .* write \/mnt$/],
    ["a line break", [{ source: "/srv", target: "/mnt\n/b" }], /a character that cannot be handed over/],
    ["what systemd would expand", [{ source: "/srv", target: "/mnt/%h" }], /a character that cannot be handed over/],
    ["a readOnly that is neither", [{ source: "/srv", target: "/mnt", readOnly: "no" }], /readOnly: "no"/],
    [
      "the same target twice",
      [
        { source: "/srv", target: "/mnt" },
        { source: "/opt", target: "/mnt" },
      ],
      /the target \/mnt is given twice/,
    ],
  ] as const) {
    it(`are refused with ${what}`, () => {
      const { failures } = check(shares);
      assert.deepEqual(
        failures.map(({ property }) => property),
        ["shares"],
      );
      assert.match(failures[0]?.reason ?? "", reason);
    });
  }

  for (const target of ["/", "/usr", "/etc/ssh", "/run/x", "/proc", "/sys/fs", "/dev/shm", "/boot", "/home", "/var"]) {
    it(`are refused on ${target}, which the guest needs`, () => {
      assert.match(check([{ source: "/srv", target }]).failures[0]?.reason ?? "", /would hide what the guest needs/);
    });
  }

  it("report all that is wrong with all of them at once", () => {
    const reason =
      check([
        { source: "a", target: "/etc" },
        { source: "/b", target: "c" },
      ]).failures[0]?.reason ?? "";
    assert.match(reason, /\[0\] source: .*; target: \/etc .*; \[1\] target: "c"/);
  });
});
