/**
 * What a host must have, as data: one list serves `bootstrap` (mend what is missing), `pulumi refresh` (report it), and a
 * terminal that first shows the commands and then runs them with sudo. So a probe only reads, needs no right and no program that
 * may be missing, and what mends a finding is nothing but commands.
 */
import type { Settings } from "../settings.js";

/** The machine as the probes see it, and for whom it is made ready. */
export interface Host {
  /** Where its file system begins: "/", and some other directory in tests. */
  readonly root: string;
  /** The user id of this process; 0 has the right to mend. */
  readonly uid: number;
  /** Who shall manage VMs without being root; undefined: nobody but root. */
  readonly user: string | undefined;
  /** Packages of the distribution that are wanted as well. */
  readonly packages: readonly string[];
  readonly settings: Settings;
  readonly signal?: AbortSignal | undefined;
}

export interface Command {
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** In seconds; 60 by default. */
  readonly timeout?: number;
}

/** Something that is missing. */
export interface Finding {
  /** A clause such as "libvirtd does not run". */
  readonly reason: string;
  /** What mends it, in this order. None: only the user can. */
  readonly commands: readonly Command[];
  /** What the user can do where there are no commands, or where they fail. */
  readonly hint?: string;
}

export interface Requirement {
  readonly id: string;
  /** A noun phrase such as "the libvirt service". */
  readonly description: string;
  /** Without it no VM can run. One that is not fatal only narrows what VMs can do; the hint says how to live without it. */
  readonly fatal: boolean;
  /** Whose right its commands need: root's, or that of any member of the libvirt group. */
  readonly right: "root" | "libvirt";
  /** In seconds: how long it may take to show after its commands ended. */
  readonly settle: number;
  /** undefined: nothing is missing. */
  probe(host: Host): Promise<Finding | undefined>;
}

/** What is only looked at: of a requirement, the part that a doctor asks for. */
export type Check = Pick<Requirement, "id" | "description" | "fatal" | "probe"> & {
  /** Whose right its commands need, where they need one. */
  readonly right?: Requirement["right"];
};

/** The group whose members manage VMs without being root. */
export const libvirtGroup = "libvirt";

/** A command as a user would type it. */
export function showCommand(command: Command): string {
  const words = command.argv.map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`,
  );
  return words.join(" ");
}
