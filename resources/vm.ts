import * as pulumi from "@pulumi/pulumi";
import { vmsConfig } from "./config.js";

/** What the resources that are VMs have in common. */
export abstract class Vm extends pulumi.dynamic.Resource {
  declare readonly name: pulumi.Output<string>;
  /** What libvirt calls it: the name, unless somebody has renamed it by hand. */
  declare readonly domainName: pulumi.Output<string>;
  declare readonly uuid: pulumi.Output<string>;
  /** Of its first network interface. */
  declare readonly mac: pulumi.Output<string>;
  /** Its first address; empty while it is off. */
  declare readonly ipAddress: pulumi.Output<string>;
  /** libvirt's word for it: "running", "shut off", ... */
  declare readonly state: pulumi.Output<string>;
  /** The top file of its first disk. */
  declare readonly diskPath: pulumi.Output<string>;
  /** Hash of the recipe of the image that its first disk was made on; empty where there is none. */
  declare readonly image: pulumi.Output<string>;
  /** The file that holds what its serial console printed. */
  declare readonly consoleLog: pulumi.Output<string>;
  /** URI of its SPICE display, on the loopback; empty while it is off. */
  declare readonly viewer: pulumi.Output<string>;

  /** `more` are the names of outputs that only this type has. */
  protected constructor(
    provider: pulumi.dynamic.ResourceProvider,
    type: string,
    name: string,
    args: object,
    opts: pulumi.CustomResourceOptions | undefined,
    more: readonly string[] = [],
  ) {
    super(
      provider,
      name,
      {
        ...Object.fromEntries([...outputs, ...more].map((output) => [output, undefined])),
        name,
        // A property that is given as undefined must not hide a default.
        ...Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined)),
        settings: vmsConfig(),
        ...replaceOnChanges(opts),
        organization: organization(),
        // Pulumi keeps the names urn and id for itself.
        resourceUrn: pulumi.createUrn(name, `pulumi-nodejs:dynamic/vms:${type}`, opts?.parent),
      },
      // A new VM has the name and the files of the old one, so the old one goes first, also where a user forces a replacement.
      { ...opts, deleteBeforeReplace: true },
      "vms",
      type,
    );
  }
}

/** Outputs are named in a resource's inputs, or the program never sees them. */
const outputs = ["domainName", "uuid", "mac", "ipAddress", "state", "diskPath", "image", "consoleLog", "viewer"];

/** Whose stack it is. A program's own tests, with mocks, have no organization as a rule, and Pulumi then throws. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "";
  }
}

/** Pulumi acts on this option by the keys that a provider says have changed, which a dynamic provider cannot: so ours is told of it. */
function replaceOnChanges(opts?: pulumi.CustomResourceOptions): { replaceOnChanges?: string[] } {
  return opts?.replaceOnChanges === undefined ? {} : { replaceOnChanges: opts.replaceOnChanges };
}
