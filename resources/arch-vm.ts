import * as pulumi from "@pulumi/pulumi";
import { Vm } from "./vm.js";

/**
 * What runs when Pulumi acts on an ArchVm. It is kept in the state as text, so it captures nothing: each method imports the real
 * provider, by the package's name, when it is called.
 */
const provider: pulumi.dynamic.ResourceProvider = {
  check: async (olds: object, news: object) =>
    (await import("pulumi-vms/provider/arch-vm")).check({ ...olds }, { ...news }),
  diff: async (id: string, olds: object, news: object) =>
    (await import("pulumi-vms/provider/arch-vm")).diff(id, { ...olds }, { ...news }),
  create: async (inputs: object) => (await import("pulumi-vms/provider/arch-vm")).create({ ...inputs }),
  read: async (id: string, props?: object) => (await import("pulumi-vms/provider/arch-vm")).read(id, { ...props }),
  update: async (id: string, olds: object, news: object) =>
    (await import("pulumi-vms/provider/arch-vm")).update(id, { ...olds }, { ...news }),
  delete: async (id: string, props: object) => (await import("pulumi-vms/provider/arch-vm")).remove(id, { ...props }),
};

/** The properties of an Arch Linux VM. */
export interface ArchVmArgs {
  /** Name of the domain and, where `hostname` is not given, of the guest. Default: the resource's name. A change makes a new VM. */
  name?: pulumi.Input<string>;
  /**
   * What is installed: minimal, gui, browser, telegram or dev; or the path of a script of your own,
   * such as "./my-profile.sh", from the directory of the Pulumi program (docs/profiles.md says what it must do). Default gui. A
   * change makes a new VM; what a script of your own says is looked at only when a VM is installed.
   */
  profile?: pulumi.Input<string>;
  /** In MiB. Default 2048. Changed in place: live up to what it was started with, else at the next boot. */
  memory?: pulumi.Input<number>;
  /** Virtual processors. Default 2. Changed in place: live where libvirt can plug them, else at the next boot. */
  cpus?: pulumi.Input<number>;
  /** Capacity of the disk, with a unit: "20G" (the default), "1T". It can grow, never shrink; the root file system grows with it. */
  disk?: pulumi.Input<string>;
  /** Pacman packages to install besides those of the profile. */
  packages?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * The Arch ISO to install from: an absolute path, an https URL, or a URL with its SHA-256. Default: the official one,
   * downloaded once and verified by checksum and signature.
   */
  iso?: pulumi.Input<string | { url: pulumi.Input<string>; sha256: pulumi.Input<string> }>;
  /** The pacman server, with `$repo` and `$arch`. Default: what the ISO is set up with. */
  mirror?: pulumi.Input<string>;
  /** The user that works in the VM. Default "user". A change makes a new VM. */
  user?: pulumi.Input<string>;
  /** The user's password, at most 72 bytes; only a hash is kept. Without one the password stays locked and sudo asks for none. */
  password?: pulumi.Input<string>;
  /** root's password, at most 72 bytes; only a hash is kept. Without one it stays locked. */
  rootPassword?: pulumi.Input<string>;
  /** OpenSSH public keys of those who may log in as the user. Without any, sshd is off. */
  authorizedKeys?: pulumi.Input<pulumi.Input<string>[]>;
  /** E.g. "Europe/Berlin". Default: UTC. */
  timezone?: pulumi.Input<string>;
  /** E.g. "de_DE.UTF-8". Default: en_US.UTF-8. */
  locale?: pulumi.Input<string>;
  /** Of the console, e.g. "de-latin1". Default: us. */
  keymap?: pulumi.Input<string>;
  /** Default: the VM's name. */
  hostname?: pulumi.Input<string>;
  /**
   * A libvirt network's name, or "user" for user-mode networking, which needs nothing of the host. Default "default". Changed in
   * place: live from one libvirt network to another, else at the next boot. The MAC stays.
   */
  network?: pulumi.Input<string>;
  /**
   * Directories of the host (`source`) that the guest mounts (`target`) at each boot. The guest writes there as root of the host
   * does, unless `readOnly`: then it reads what qemu's user may read. Changed in place, at the next boot.
   */
  shares?: pulumi.Input<
    pulumi.Input<{
      source: pulumi.Input<string>;
      target: pulumi.Input<string>;
      readOnly?: pulumi.Input<boolean>;
    }>[]
  >;
  /** Whether the host's package cache is shared with the guest while it is installed. Default true. */
  pacmanCache?: pulumi.Input<boolean>;
  /**
   * Not set: started when it is made, then left alone. Set: enforced by each `pulumi up`. A VM that is made with `false` is not
   * booted, unless it has a password to set: it takes its identity on when it is first started.
   */
  running?: pulumi.Input<boolean>;
  /** Whether it starts with the host. Default false. */
  autostart?: pulumi.Input<boolean>;
  /** "kvm", "tcg" (emulation) or "auto" (kvm where the host has it). Default "auto". Changed in place, at the next boot. */
  acceleration?: pulumi.Input<string>;
  /**
   * Installed from scratch for this VM alone: its disk stands on no image and is nobody else's. Takes as long as an install each
   * time. Default false. It matters only when the VM is made.
   */
  fresh?: pulumi.Input<boolean>;
  /**
   * Whether a VM of this name that `vms create` made is taken over instead of being an error: it becomes this stack's and is
   * changed to what the program says. Default false. It matters only when the VM would be made.
   */
  adopt?: pulumi.Input<boolean>;
  /** The libvirt connection; for now "qemu:///system" only, the default. */
  connection?: pulumi.Input<string>;
  /**
   * Time limits, in seconds, of a boot, the install, the profile's script and a graceful power-off. Defaults depend on the acceleration.
   * `shutdown` is also the grace time of a VM that is deleted or replaced while it runs; behind it, it is forced off.
   */
  timeouts?: pulumi.Input<{
    boot?: pulumi.Input<number>;
    install?: pulumi.Input<number>;
    profile?: pulumi.Input<number>;
    shutdown?: pulumi.Input<number>;
  }>;
}

/**
 * An Arch Linux virtual machine of this host's libvirt: installed once from the official ISO into an image that VMs share, and
 * from then on made in seconds.
 *
 * Bad input is reported at preview, every property at once. A create that fails half-way is kept in the state and finished by the
 * next `pulumi up`. The resource's id is the domain's UUID.
 */
export class ArchVm extends Vm {
  constructor(name: string, args: ArchVmArgs = {}, opts?: pulumi.CustomResourceOptions) {
    super(provider, "ArchVm", name, { ...args, ...secrets(args) }, opts);
  }
}

function secrets(args: ArchVmArgs): Pick<ArchVmArgs, "password" | "rootPassword"> {
  return {
    ...(args.password === undefined ? {} : { password: pulumi.secret(args.password) }),
    ...(args.rootPassword === undefined ? {} : { rootPassword: pulumi.secret(args.rootPassword) }),
  };
}
