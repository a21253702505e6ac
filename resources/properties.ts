/** What the resources that are VMs have in common. */
import * as pulumi from "@pulumi/pulumi";

/** Outputs are named in a resource's inputs, or the program never sees them; a function, for Pulumi changes the object. */
export function vmOutputs(): Record<string, undefined> {
  const names = ["domainName", "uuid", "mac", "ipAddress", "state", "diskPath", "image", "consoleLog", "viewer"];
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** A property that is given as undefined must not hide a default. */
export function definedOnly<T extends object>(args: T): Partial<T> {
  return Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** Whose stack it is. A program's own tests, with mocks, have no organization as a rule, and Pulumi then throws. */
export function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}

/** Pulumi acts on this option by the keys that a provider says have changed, which a dynamic provider cannot: so ours is told of it. */
export function replaceOnChanges(opts?: pulumi.CustomResourceOptions): { replaceOnChanges?: string[] } {
  return opts?.replaceOnChanges === undefined ? {} : { replaceOnChanges: opts.replaceOnChanges };
}
