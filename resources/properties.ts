/** What the resources that are VMs have in common. */

/** Outputs are named in a resource's inputs, or the program never sees them; a function, for Pulumi changes the object. */
export function vmOutputs(): Record<string, undefined> {
  const names = ["uuid", "mac", "ipAddress", "state", "diskPath", "image", "consoleLog", "viewer"];
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** A property that is given as undefined must not hide a default. */
export function definedOnly<T extends object>(args: T): Partial<T> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)) as Partial<T>;
}
