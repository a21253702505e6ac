/**
 * The named steps of every operation. Whoever observes a run (`Context.reached`) is told of each right after it is done: it is
 * where a run can have been interrupted, so a new step belongs here, and is tested by being here.
 */
export const steps = {
  create: [
    "claimed",
    "image found",
    "defined",
    "overlay made",
    "nvram made",
    "log made",
    "passwords set",
    "autostart set",
    "marked ready",
  ],
  install: [
    "claimed",
    "defined",
    "medium copied",
    "disk made",
    "nvram made",
    "payload written",
    "log made",
    "powered on",
    "logged in",
    "step done",
    "powered off",
    "redefined",
    "converted",
    "log removed",
    "published",
  ],
  clone: ["claimed", "defined", "frozen", "overlay made", "nvram made", "log made", "autostart set", "marked ready"],
  freeze: ["announced", "base named", "overlay made", "switched", "settled", "recorded"],
  compact: ["rebased"],
  start: ["powered on", "ready"],
  stop: ["asked", "off"],
  change: [
    "named",
    "defined",
    "memory set",
    "cpus set",
    "network set",
    "disk grown",
    "autostart set",
    "settings set",
    "passwords set",
    "packages added",
  ],
  delete: ["power-off awaited", "marked", "killed", "file removed", "bases swept", "undefined"],
} as const;

export type Operation = keyof typeof steps;

/** A step with its operation, such as "create: defined". */
export type Step = { [O in Operation]: `${O}: ${(typeof steps)[O][number]}` }[Operation];
