import assert from "node:assert/strict";
import { checkVmClone } from "../../provider/vm-clone-inputs.js";

const environment = { VMS_CONF: "/dev/null", VMS_DEFAULT_MEMORY: "8192", VMS_DEFAULT_DISK: "99G" };
const check = (news: Record<string, unknown>, olds?: Record<string, unknown>) => checkVmClone(olds, news, environment);

describe("the inputs of a VmClone", () => {
  it("leave out what is not given, for that is as in the source, whatever the environment's defaults are", () => {
    const { inputs, failures } = check({ name: "copy", source: "work" });
    assert.deepEqual(failures, []);
    for (const name of ["memory", "cpus", "disk", "authorizedKeys", "hostname", "running"])
      assert.equal(name in inputs, false, name);
    assert.equal(inputs["autostart"], false);
  });

  it("are reported all at once, each under its property", () => {
    const { failures } = check({ name: "Copy", memory: -1, disk: "much", authorizedKeys: ["no"], profile: "minimal" });
    const properties = failures.map(({ property }) => property).sort();
    assert.deepEqual(properties, ["authorizedKeys", "disk", "memory", "name", "profile", "source"]);
  });

  it("refuse a clone of itself", () => {
    const [failure] = check({ name: "work", source: "work" }).failures;
    assert.equal(failure?.property, "source");
    assert.match(failure.reason, /the name of the clone itself/);
  });

  it("let a source that is not known yet through", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    assert.deepEqual(check({ name: "copy", source: unknown }).failures, []);
  });

  it("refuse to shrink a disk that was grown, unless a new clone is made anyway", () => {
    const olds = check({ name: "copy", source: "work", disk: "40G" }).inputs;
    const [failure] = check({ name: "copy", source: "work", disk: "30G" }, olds).failures;
    assert.match(failure?.reason ?? "", /cannot shrink from 40G to 30G/);
    assert.deepEqual(check({ name: "copy", source: "other", disk: "30G" }, olds).failures, []);
  });
});
