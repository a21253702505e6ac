/** The steps of an install as data. Their names are those that the guest's scripts know (guest/install.sh, guest/finish.sh). */

/** Which of the two boots a step belongs to: from the installation medium, or from the disk that was installed. */
export type Where = "iso" | "disk";
export type Acceleration = "kvm" | "tcg";

/** In seconds. What a user gives in an ArchVm's `timeouts`; each has a default for KVM and one for TCG. */
export interface Timeouts {
  /** From power on to the login prompt, and as long again from there to the shell behind it. */
  readonly boot?: number | undefined;
  /** The longest step of the install: fetching and unpacking the packages. The other steps before it is booted get no more than this either. */
  readonly install?: number | undefined;
  /** The longest step in the installed system: setting up the profile and the extra packages. */
  readonly profile?: number | undefined;
  /** From the order to power off until the domain is off. */
  readonly shutdown?: number | undefined;
}

/** A time limit in seconds. */
type Limit = Readonly<Record<Acceleration, number>>;

export interface Step {
  readonly name: string;
  /** What it does, as a phase of the progress. */
  readonly title: string;
  readonly where: Where;
  readonly limit: Limit;
  /** It is the step that the timeout of its boot (install, profile) is meant for. */
  readonly main?: true;
  /** What to try where it fails. */
  readonly hint?: string;
}

const profileLimit: Limit = { kvm: 3600, tcg: 10_800 };

export const steps: readonly Step[] = [
  {
    name: "ready",
    title: "waiting for the guest's network and keyring",
    where: "iso",
    limit: { kvm: 300, tcg: 1500 },
    hint: "Check that this host reaches the mirror; the guest uses the host's own network",
  },
  { name: "partition", title: "partitioning the disk", where: "iso", limit: { kvm: 60, tcg: 300 } },
  { name: "format", title: "making the file systems", where: "iso", limit: { kvm: 60, tcg: 300 } },
  {
    name: "packages",
    title: "installing packages",
    where: "iso",
    limit: { kvm: 2400, tcg: 7200 },
    main: true,
    hint: "Check that the mirror has these packages and that this host has room for them: df -h",
  },
  { name: "configure", title: "configuring the system", where: "iso", limit: { kvm: 300, tcg: 2400 } },
  { name: "bootloader", title: "installing the boot loader", where: "iso", limit: { kvm: 60, tcg: 300 } },
  { name: "unmount", title: "writing the disk", where: "iso", limit: { kvm: 180, tcg: 600 } },
  {
    name: "profile",
    title: "setting up the profile",
    where: "disk",
    limit: profileLimit,
    main: true,
    hint: "Check that the mirror has the packages of the profile and the extra ones",
  },
  { name: "check", title: "checking the installed system", where: "disk", limit: { kvm: 120, tcg: 600 } },
  { name: "seal", title: "sealing the image", where: "disk", limit: { kvm: 180, tcg: 600 } },
];

/** The step before the first of a boot: the guest's scripts come from the payload's disk. */
export function unpacking(where: Where): Step {
  return { name: "payload", title: "handing the scripts to the guest", where, limit: { kvm: 30, tcg: 180 } };
}

/** The line of bash that a step is in the guest. */
export function commandOf(step: Step): string {
  if (step.name === "payload") return "mkdir -p /run/vms && tar -xf /dev/disk/by-id/virtio-vms-payload -C /run/vms";
  return `bash /run/vms/${step.where === "iso" ? "install" : "finish"}.sh ${step.name}`;
}

/** What to try where a limit was too short. */
export function moreTime(timeout: keyof Timeouts, limit: number): string {
  return `A slow host or mirror needs more time, in a program: timeouts: { ${timeout}: ${Math.ceil(limit * 2)} }`;
}

const bootLimit: Limit = { kvm: 180, tcg: 900 };
const loginLimit: Limit = { kvm: 60, tcg: 300 };
const shutdownLimit: Limit = { kvm: 90, tcg: 300 };
/** Shorter: what a guest that is deleted still writes is deleted as well. */
const removalLimit: Limit = { kvm: 30, tcg: 60 };

/** Which of a user's timeouts a boot's steps stand under. */
export const timeoutOf = { iso: "install", disk: "profile" } as const satisfies Record<Where, keyof Timeouts>;

/** The limits of one boot, in seconds. */
export interface Limits {
  readonly boot: number;
  readonly login: number;
  readonly shutdown: number;
  /** The grace time of a guest that is deleted; 0: none. */
  readonly removal: number;
  /** Of adding packages to a VM that exists. */
  readonly profile: number;
  step(step: Step): number;
}

/** The limits of a boot: the defaults, and what the user gave. */
export function limitsOf(acceleration: Acceleration, timeouts: Timeouts = {}): Limits {
  return {
    boot: timeouts.boot ?? bootLimit[acceleration],
    login: timeouts.boot ?? loginLimit[acceleration],
    shutdown: timeouts.shutdown ?? shutdownLimit[acceleration],
    removal: timeouts.shutdown ?? removalLimit[acceleration],
    profile: timeouts.profile ?? profileLimit[acceleration],
    step: (step) => {
      const own = step.limit[acceleration];
      const given = timeouts[timeoutOf[step.where]];
      if (given === undefined) return own;
      return step.main === true ? given : Math.min(own, given);
    },
  };
}
