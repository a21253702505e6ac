import * as pulumi from "@pulumi/pulumi";
import type { ArchVm } from "./arch-vm.js";
import { Vm } from "./vm.js";

/** Kept in the state as text, so it captures nothing: each method imports the real provider when it is called. */
const provider: pulumi.dynamic.ResourceProvider = {
  check: async (olds: object, news: object) =>
    (await import("pulumi-vms/provider/vm-clone")).check({ ...olds }, { ...news }),
  diff: async (id: string, olds: object, news: object) =>
    (await import("pulumi-vms/provider/vm-clone")).diff(id, { ...olds }, { ...news }),
  create: async (inputs: object) => (await import("pulumi-vms/provider/vm-clone")).create({ ...inputs }),
  read: async (id: string, props?: object) => (await import("pulumi-vms/provider/vm-clone")).read(id, { ...props }),
  update: async (id: string, olds: object, news: object) =>
    (await import("pulumi-vms/provider/vm-clone")).update(id, { ...olds }, { ...news }),
  delete: async (id: string, props: object) => (await import("pulumi-vms/provider/vm-clone")).remove(id, { ...props }),
};

/** The properties of a clone. What is not given is as in its source when the clone is made, but for `running` and `autostart`. */
export interface VmCloneArgs {
  /**
   * The VM to clone: a resource, or the name of a VM of ours, whoever made it. It may run or be off, and may be deleted while its
   * clones live. A change makes a new VM.
   */
  source: pulumi.Input<string> | ArchVm | VmClone;
  /** Name of the domain and, where `hostname` is not given, of the guest. Default: the resource's name. A change makes a new VM. */
  name?: pulumi.Input<string>;
  /** In MiB. */
  memory?: pulumi.Input<number>;
  /** Virtual processors. */
  cpus?: pulumi.Input<number>;
  /** Capacity of the first disk, with a unit; the source's or more. The root file system grows with it. */
  disk?: pulumi.Input<string>;
  /** Default: the clone's name. */
  hostname?: pulumi.Input<string>;
  /** OpenSSH public keys of those who may log in as the source's user. Default: the source's. */
  authorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
  /** Not set: started when it is made, then left alone. Set: enforced by each `pulumi up`; false makes it without a boot. */
  running?: pulumi.Input<boolean>;
  /** Whether it starts with the host. Default false. */
  autostart?: pulumi.Input<boolean>;
  /** The libvirt connection; for now "qemu:///system" only, the default. */
  connection?: pulumi.Input<string>;
  /** Time limits, in seconds, of a boot and of a graceful power-off. Defaults depend on the acceleration. */
  timeouts?: pulumi.Input<{ boot?: pulumi.Input<number>; shutdown?: pulumi.Input<number> }>;
}

/**
 * A linked clone: a VM that begins with what is on its source's disks at this moment, and with an identity of its own. Source and
 * clone share what neither has written since, and nothing that one of them writes reaches the other.
 *
 * The source's disk is frozen into a base, which is kept as long as any VM stands on it. A running source goes on meanwhile; its
 * file systems are quiesced by its guest agent, where that answers. The resource's id is the domain's UUID.
 */
export class VmClone extends Vm {
  /** The file that its first disk stands on. */
  declare readonly base: pulumi.Output<string>;

  constructor(name: string, args: VmCloneArgs, opts?: pulumi.CustomResourceOptions) {
    super(provider, "VmClone", name, { ...args, source: nameOf(args.source) }, opts, ["base"]);
  }
}

/** `instanceof` fails for a resource of another copy of this package. */
function nameOf(source: VmCloneArgs["source"]): pulumi.Input<string> {
  return pulumi.Resource.isInstance(source) ? source.name : source;
}
