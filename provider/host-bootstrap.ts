/**
 * What Pulumi calls for a HostBootstrap (the stub in resources/host-bootstrap.ts imports this at run time). `check` and `diff` ask
 * nothing of the host: a preview works where none of it is installed.
 */
import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic/index.js";
import { bootstrap, type BootstrapOptions, findMissing, readHostFacts } from "./bootstrap.js";
import type { Context } from "./context.js";
import { engineProgress, tellEngine } from "./engine-progress.js";
import { toVmsError } from "./errors.js";
import { accountName } from "./host/accounts.js";
import { packageName } from "./host/packages.js";
import { describeMissing } from "./host/prepare.js";
import { checkFields, defaultedKey, type Failure, type Fields, isUnknown, listOf, text } from "./inputs.js";
import { type GivenSettings, resolveSettings, type Settings } from "./settings.js";

type Values = Record<string, unknown>;

/** Of what is kept in state; raised when its meaning changes. */
const schemaVersion = 1;

/** Properties that the constructor adds: they are no input of a user. */
const hiddenInputs = ["resourceUrn", "settings"];

export const bootstrapFields: Fields = {
  user: { check: text(accountName, "the name of a user of this host") },
  packages: { check: listOf(text(packageName, "the name of a package")), fallback: [] },
};

export function check(olds: Values | undefined, news: Values): Promise<CheckResult<Values>> {
  const { inputs, failures } = checkFields(bootstrapFields, olds, news, hiddenInputs);
  const found: Failure[] = [...failures];
  try {
    // Unlike a VM, which stays where it was made, the host is made ready for what this run is set to.
    inputs["settings"] = resolveSettings(news["settings"] as GivenSettings | undefined).settings;
  } catch (error) {
    found.push({ property: "settings", reason: toVmsError(error).message });
  }
  return Promise.resolve({ inputs, failures: found });
}

export async function diff(_id: string, olds: Values, news: Values): Promise<DiffResult> {
  const changed = ["user", "packages", "settings"].filter((name) => differs(olds[name], news[name]));
  const missing = missingIn(olds);
  const lines = missing.map((what) => `missing on the host, and mended by pulumi up: ${what}`);
  if (typeof news["resourceUrn"] === "string" && lines.length > 0) await tellEngine(news["resourceUrn"], lines);
  return { changes: changed.length > 0 || missing.length > 0, replaces: [], deleteBeforeReplace: false };
}

export async function create(inputs: Values): Promise<CreateResult<Values>> {
  return { id: hostname(), outs: await makeReady(inputs) };
}

export async function read(id: string, props: Values): Promise<ReadResult<Values>> {
  const context = contextOf(props);
  const missing = await findMissing(context, optionsOf(props));
  // What this host cannot have was said when it was made ready, and is no drift.
  const known = listOfText(props["unavailable"]);
  const drift = missing.filter(({ requirement }) => !known.includes(requirement.id)).map(describeMissing);
  return { id, props: { ...props, ...(await readHostFacts(context)), missing: drift }, inputs: inputsOf(props) };
}

export async function update(_id: string, _olds: Values, news: Values): Promise<UpdateResult<Values>> {
  return { outs: await makeReady(news) };
}

export async function remove(_id: string, props: Values): Promise<void> {
  const line = "the host is left as it is: its packages, services, groups and directories stay";
  await tellEngine(String(props["resourceUrn"]), [line]);
}

export { remove as delete };

async function makeReady(inputs: Values): Promise<Values> {
  const { facts, changed, unavailable } = await bootstrap(contextOf(inputs), optionsOf(inputs));
  return { ...inputsOf(inputs), ...facts, changed, unavailable, missing: [], schemaVersion };
}

function differs(old: unknown, now: unknown): boolean {
  return isUnknown(now) || !isDeepStrictEqual(old, now);
}

function missingIn(state: Values): string[] {
  return listOfText(state["missing"]);
}

function listOfText(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function optionsOf(inputs: Values): BootstrapOptions {
  const user = inputs["user"];
  return { user: typeof user === "string" ? user : undefined, packages: listOfText(inputs["packages"]) };
}

function contextOf(inputs: Values): Context {
  return { settings: inputs["settings"] as Settings, progress: engineProgress(String(inputs["resourceUrn"])) };
}

function inputsOf(values: Values): Values {
  const names = ["user", "packages", defaultedKey, ...hiddenInputs];
  return Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
}
