/**
 * What Pulumi's `check` does for every resource: each field is validated, a missing one is taken from what the VM was made with
 * or from its default, and every failure is reported at once under its property. Pure: nothing of the host is asked.
 */

/** How an input that is not known yet reaches a dynamic provider in a preview (Pulumi's own marker). */
const unknownMarker = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isUnknown(value: unknown): boolean {
  if (value === unknownMarker) return true;
  if (Array.isArray(value)) return value.some(isUnknown);
  return typeof value === "object" && value !== null && Object.values(value).some(isUnknown);
}

/** What a validator answers: the value in its normal form, or a sentence that says what is wrong. */
export type Verdict = { readonly value: unknown } | { readonly failure: string };

export interface Field {
  readonly check: (value: unknown) => Verdict;
  /** undefined: the field may be left out and then stays out. */
  readonly fallback?: unknown;
  /** Where a user may have set the fallback. */
  readonly origin?: string;
  /** It must be given. */
  readonly required?: boolean;
}

export type Fields = Readonly<Record<string, Field>>;

export interface Failure {
  readonly property: string;
  readonly reason: string;
}

export interface Checked {
  readonly inputs: Record<string, unknown>;
  readonly failures: Failure[];
}

/** The names of inputs that were filled in, not given; kept in the inputs so that a later check knows. */
export const defaultedKey = "defaulted";

/**
 * @param fields the resource's own properties
 * @param olds what the last check of this resource answered; undefined for a new one
 * @param news what the program says now
 * @param hidden properties that the constructor adds and that are taken as they are
 */
export function checkFields(
  fields: Fields,
  olds: Readonly<Record<string, unknown>> | undefined,
  news: Readonly<Record<string, unknown>>,
  hidden: readonly string[],
): Checked {
  const inputs: Record<string, unknown> = {};
  const failures: Failure[] = [];
  const defaulted: string[] = [];
  const before = Array.isArray(olds?.[defaultedKey]) ? (olds[defaultedKey] as unknown[]) : [];

  for (const [name, field] of Object.entries(fields)) {
    const given = news[name];
    if (given === undefined || given === null) {
      const kept = before.includes(name) ? olds?.[name] : undefined;
      const value = kept ?? field.fallback;
      if (value === undefined) {
        if (field.required === true) failures.push({ property: name, reason: "is missing" });
        continue;
      }
      defaulted.push(name);
      // A default may come from the environment, so it is held to the same rules as what a program says.
      accept(name, value, field, field.origin);
    } else {
      accept(name, given, field);
    }
  }
  for (const name of Object.keys(news)) {
    if (name in fields || name === defaultedKey || name.startsWith("__")) continue;
    if (hidden.includes(name)) inputs[name] = news[name];
    else
      failures.push({
        property: name,
        reason: `there is no such property; the properties are ${Object.keys(fields).join(", ")}`,
      });
  }
  inputs[defaultedKey] = defaulted;
  return { inputs, failures };

  function accept(name: string, value: unknown, field: Field, origin?: string): void {
    if (isUnknown(value)) {
      inputs[name] = value;
      return;
    }
    const verdict = field.check(value);
    if ("value" in verdict) inputs[name] = verdict.value;
    else {
      const reason = origin === undefined ? verdict.failure : `${verdict.failure}; it is taken from ${origin}`;
      failures.push({ property: name, reason });
    }
  }
}

/** How a value is shown in a sentence. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? String(value) : text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function text(pattern: RegExp, expected: string): Field["check"] {
  return (value) =>
    typeof value === "string" && pattern.test(value) ? { value } : { failure: `${shown(value)} is not ${expected}` };
}

export function integer(least: number, most: number, unit: string): Field["check"] {
  return (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
      ? { value }
      : {
          failure: `${shown(value)} is not a whole number${unit === "" ? "" : ` of ${unit}`} from ${least} to ${most}`,
        };
}

export const boolean: Field["check"] = (value) =>
  typeof value === "boolean" ? { value } : { failure: `${shown(value)} is neither true nor false` };

export function listOf(item: Field["check"]): Field["check"] {
  return (value) => {
    if (!Array.isArray(value)) return { failure: `${shown(value)} is not a list` };
    const verdicts = value.map((one) => item(one));
    const failed = verdicts.flatMap((verdict) => ("failure" in verdict ? [verdict.failure] : []));
    if (failed.length > 0) return { failure: failed.join("; ") };
    return { value: verdicts.map((verdict) => ("value" in verdict ? verdict.value : undefined)) };
  };
}

export function oneOf(allowed: readonly string[]): Field["check"] {
  return (value) =>
    typeof value === "string" && allowed.includes(value)
      ? { value }
      : { failure: `${shown(value)} is not one of ${allowed.join(", ")}` };
}
