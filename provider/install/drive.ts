/**
 * The unattended install, driven over the serial console: a domain boots, root logs in, the payload is unpacked and the
 * steps of this boot run in order; then the guest powers off.
 *
 * The domain is defined and started by the caller, paused at best, and killed by the caller where the drive fails.
 */
import type { Context } from "../context.js";
import { Deadline } from "../host/deadline.js";
import { openDomainConsole } from "../console/domain-console.js";
import type { Dialogue } from "../console/expect.js";
import { awaitLogin, logIn } from "../console/shell.js";
import { ConsoleTimeoutError } from "../errors.js";
import { awaitOff } from "../libvirt/power.js";
import { type Guest, resumeGuest, signsOfDeath, watchGuest, whyConsoleEnded } from "./guest-life.js";
import { runStep } from "./run-step.js";
import {
  type Acceleration,
  type Limits,
  limitsOf,
  type Step,
  steps,
  type Timeouts,
  moreTime,
  unpacking,
  type Where,
} from "./steps.js";

/** A boot that is to be driven. */
export interface Boot extends Guest, Pick<Context, "progress" | "signal" | "reached"> {
  /** The file that everything the console prints is appended to. */
  readonly log: string;
  readonly acceleration: Acceleration;
  readonly timeouts?: Timeouts | undefined;
  /** Never written to the log nor quoted in an error. */
  readonly secrets?: readonly string[] | undefined;
}

/** How long a part of the boot took, in seconds. */
export interface Timing {
  readonly name: string;
  readonly seconds: number;
}

/** How a boot went. */
export interface Driven {
  readonly timings: readonly Timing[];
  /** The steps that were put off: one of this boot asks for a restart before them. */
  readonly rest: readonly Step[];
}

/**
 * Drives the boot from the installation medium: the domain's disk holds an installed system when it is off.
 *
 * Throws InstallStepError, ConsoleTimeoutError (no login prompt, no shell, no power-off), GuestLostError, or VmsError
 * (cancelled; guest: no console; unreachable: no libvirt).
 */
export async function driveIso(boot: Boot): Promise<readonly Timing[]> {
  boot.progress.phase("booting the installation medium");
  return (await driveBoot("iso", boot, stepsOf("iso"))).timings;
}

/**
 * Drives a boot of the installed system by these steps: its disk is an image when it is off and none is left over. Throws as
 * `driveIso` does.
 */
export async function driveDisk(boot: Boot, todo: readonly Step[] = stepsOf("disk")): Promise<Driven> {
  boot.progress.phase("booting the installed system");
  return await driveBoot("disk", boot, todo);
}

const stepsOf = (where: Where): Step[] => steps.filter((step) => step.where === where);

/** How long libvirt may take to hand out a console, in seconds. */
const attachLimit = 5;

async function driveBoot(where: Where, boot: Boot, todo: readonly Step[]): Promise<Driven> {
  const { signal, log, secrets } = boot;
  const limits = limitsOf(boot.acceleration, boot.timeouts);
  const guest: Guest = { connection: boot.connection, domain: boot.domain };
  const dialogue = await openDomainConsole({
    ...guest,
    log,
    secrets,
    signal,
    deadline: new Deadline(attachLimit),
    fatal: signsOfDeath,
    whyEnded: async () => await whyConsoleEnded(guest),
  });
  const timings: Timing[] = [];
  const rest = [...todo];
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    timings.push({ name, seconds: (performance.now() - start) / 1000 });
    return result;
  };
  try {
    dialogue.note(
      `${where === "iso" ? "booting the installation medium" : "booting the installed system"}, ${new Date().toISOString()}`,
    );
    await resumeGuest(guest);
    const watch = watchGuest(guest, dialogue);
    try {
      await timed("boot", () =>
        awaitLogin(dialogue, new Deadline(limits.boot), { hint: moreTime("boot", limits.boot) }),
      );
      const shell = await timed("login", () =>
        logIn(dialogue, new Deadline(limits.login), moreTime("boot", limits.login)),
      );
      boot.reached?.("install: logged in");
      const runTimed = (step: Step) =>
        timed(step.name, () => runStep(step, { shell, dialogue, limits, progress: boot.progress }));
      await runTimed(unpacking(where));
      boot.reached?.("install: step done");
      for (let step = rest.shift(); step !== undefined; step = rest.shift()) {
        const { restart } = await runTimed(step);
        boot.reached?.("install: step done");
        if (restart) break;
      }
    } finally {
      await watch.stop();
    }
    boot.progress.phase("powering the guest off");
    dialogue.note(`powering off, at most ${limits.shutdown} s`);
    await timed("shutdown", () => powerOff(guest, dialogue, limits, signal));
    boot.reached?.("install: powered off");
    return { timings, rest };
  } finally {
    await dialogue.close();
  }
}

/** The console is read on until the domain is off: a guest whose console nobody reads hangs as it powers off. */
async function powerOff(
  guest: Guest,
  dialogue: Dialogue,
  limits: Limits,
  signal: AbortSignal | undefined,
): Promise<void> {
  dialogue.send(" systemctl poweroff\n");
  if (await awaitOff(guest.connection, guest.domain, new Deadline(limits.shutdown), signal)) return;
  throw new ConsoleTimeoutError("power-off", limits.shutdown, dialogue.lastLines(), dialogue.log, {
    hint: moreTime("shutdown", limits.shutdown),
  });
}
