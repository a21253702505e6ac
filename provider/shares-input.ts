/** What can be given as `shares`: directories of the host, and where the guest mounts them. Whether they exist is asked later. */
import { posix } from "node:path";
import { type Field, shown, type Verdict } from "./inputs.js";

/** Of the guest; what is mounted here would hide what it needs to run. */
const reserved = [
  "/proc",
  "/sys",
  "/dev",
  "/run",
  "/boot",
  "/usr",
  "/etc",
  "/bin",
  "/sbin",
  "/lib",
  "/lib64",
  "/var/lib/vms",
];

/** Below these a directory can be mounted, on them not. */
const notItself = ["/", "/root", "/home", "/var", "/var/lib", "/tmp"];

export const checkShares: Field["check"] = (value) => {
  if (!Array.isArray(value)) return { failure: `${shown(value)} is not a list` };
  const verdicts = value.map((one, index) => named(`[${index}]`, checkShare(one)));
  const failures = verdicts.flatMap((verdict) => ("failure" in verdict ? [verdict.failure] : []));
  const shares = verdicts.flatMap((verdict) => ("value" in verdict ? [verdict.value as { target: string }] : []));
  const targets = shares.map(({ target }) => target);
  for (const twice of new Set(targets.filter((target, index) => targets.indexOf(target) !== index)))
    failures.push(`the target ${twice} is given twice`);
  return failures.length > 0 ? { failure: failures.join("; ") } : { value: shares };
};

function checkShare(value: unknown): Verdict {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { failure: `${shown(value)} is not { source, target, readOnly? }` };
  const { source, target, readOnly = false, ...others } = value as Record<string, unknown>;
  const failures = [
    ...Object.keys(others).map((name) => `there is no ${name}; a share has source, target and readOnly`),
    ...pathFailures("source", source),
    ...pathFailures("target", target),
    ...(typeof target === "string" ? placeFailures(target) : []),
    ...(typeof readOnly === "boolean" ? [] : [`readOnly: ${shown(readOnly)} is neither true nor false`]),
  ];
  return failures.length > 0 ? { failure: failures.join("; ") } : { value: { source, target, readOnly } };
}

function pathFailures(name: string, path: unknown): string[] {
  if (typeof path !== "string" || !path.startsWith("/")) return [`${name}: ${shown(path)} is not an absolute path`];
  const clean = posix.normalize(path).replace(/(?<=.)\/$/, "");
  if (clean !== path) return [`${name}: ${shown(path)} is not a plain path; write ${clean}`];
  // systemd would read some of them in its own way, and a line break ends what the guest is told.
  // eslint-disable-next-line no-control-regex -- these are what it is about
  return /[\0-\x1f\x7f"'\\%]| $/.test(path)
    ? [`${name}: ${shown(path)} holds a character that cannot be handed over`]
    : [];
}

function placeFailures(target: string): string[] {
  const within = reserved.find((place) => target === place || target.startsWith(`${place}/`));
  const place = within ?? notItself.find((one) => one === target);
  return place === undefined ? [] : [`target: ${target} would hide what the guest needs in ${place}`];
}

function named(what: string, verdict: Verdict): Verdict {
  return "failure" in verdict ? { failure: `${what} ${verdict.failure}` } : verdict;
}
