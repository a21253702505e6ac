/** What makes a clone is killed behind each of its steps, and then run again; the other operations: kill-every-step.test.ts. */
import { interruptible, makesClone } from "../support/interruptible.js";
import { testAllKills } from "../support/kills.js";

describe("a cloning that is killed, and run again (real libvirtd)", () => {
  testAllKills(interruptible.filter(makesClone));
});
