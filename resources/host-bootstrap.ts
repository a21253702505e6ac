import * as pulumi from "@pulumi/pulumi";
import { vmsConfig } from "./config.js";

/** Kept in the state as text, so it captures nothing: each method imports the real provider when it is called. */
const provider: pulumi.dynamic.ResourceProvider = {
  check: async (olds: object, news: object) =>
    (await import("pulumi-vms/provider/host-bootstrap")).check({ ...olds }, { ...news }),
  diff: async (id: string, olds: object, news: object) =>
    (await import("pulumi-vms/provider/host-bootstrap")).diff(id, { ...olds }, { ...news }),
  create: async (inputs: object) => (await import("pulumi-vms/provider/host-bootstrap")).create({ ...inputs }),
  read: async (id: string, props?: object) =>
    (await import("pulumi-vms/provider/host-bootstrap")).read(id, { ...props }),
  update: async (id: string, olds: object, news: object) =>
    (await import("pulumi-vms/provider/host-bootstrap")).update(id, { ...olds }, { ...news }),
  delete: async (id: string, props: object) =>
    (await import("pulumi-vms/provider/host-bootstrap")).remove(id, { ...props }),
};

/** For whom a host is made ready. */
export interface HostBootstrapArgs {
  /**
   * A user of this host who shall manage VMs without being root. Default: who called sudo, else who runs Pulumi; where that is
   * root itself, nobody.
   */
  user?: pulumi.Input<string>;
  /** Packages of the host's distribution to install as well. Default: none. */
  packages?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * The host that Pulumi runs on, made ready for VMs: the distribution's packages, the libvirt service, the user's group, the
 * directories, the default network. What is there already is left alone. `pulumi refresh` reports what has gone missing and
 * the next `pulumi up` mends it; `pulumi destroy` leaves the host as it is.
 *
 * Needs root's rights where something is missing that no VM can run without; without them it fails before any change and says which command
 * to run. What VMs can do without is told, and left.
 */
export class HostBootstrap extends pulumi.dynamic.Resource {
  /** The ID of os-release: "debian", "arch", ... */
  declare readonly distribution: pulumi.Output<string>;
  /** "kvm", or "tcg" where VMs are emulated. */
  declare readonly acceleration: pulumi.Output<string>;
  declare readonly qemuVersion: pulumi.Output<string>;
  declare readonly libvirtVersion: pulumi.Output<string>;
  /** What the last `pulumi up` that had something to do changed on the host. */
  declare readonly changed: pulumi.Output<string[]>;
  /** What this host cannot have and VMs can do without, by id: "network" for the libvirt network "default". */
  declare readonly unavailable: pulumi.Output<string[]>;
  /** What `pulumi refresh` found to be missing. */
  declare readonly missing: pulumi.Output<string[]>;

  constructor(name: string, args: HostBootstrapArgs = {}, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      distribution: undefined,
      acceleration: undefined,
      qemuVersion: undefined,
      libvirtVersion: undefined,
      changed: undefined,
      unavailable: undefined,
      missing: undefined,
    };
    const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
    const resourceUrn = pulumi.createUrn(name, "pulumi-nodejs:dynamic/vms:HostBootstrap", opts?.parent);
    super(provider, name, { ...outputs, ...given, settings: vmsConfig(), resourceUrn }, opts, "vms", "HostBootstrap");
  }
}
