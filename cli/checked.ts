import { cannot, VmsError } from "../provider/errors.js";
import type { Checked } from "../provider/inputs.js";

/** The checked inputs, or all that is wrong with them in one error. */
export function requireValid(verb: string, name: string, { inputs, failures }: Checked): unknown {
  if (failures.length === 0) return inputs;
  const lines = failures.map(({ property, reason }) => `${property}: ${reason}`);
  throw cannot(verb, "VM", name, new VmsError("input", lines.join("\n  "), { hint: `Try: vms ${verb} --help` }));
}
