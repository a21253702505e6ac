/** What a guest is told about itself, as systemd credentials (guest/identity.sh takes them on at its first boot). */
import { sharesCredential } from "./shares.js";
import { type CloneSpec, hostnameOf, type VmSpec } from "./spec.js";

/** Where the guest says how that went. */
export const identityReport = "/run/vms/identity";

/** What takes them on. */
export const identityService = "/usr/lib/vms/identity.sh";

/** Public data only: every local user can read it in qemu's arguments. */
export function credentialsOf(spec: VmSpec, uuid: string): Record<string, string> {
  const values: Record<string, string | undefined> = {
    "vms.instance": uuid,
    "vms.hostname": hostnameOf(spec),
    "vms.user": spec.user,
    "vms.sudo": spec.password === undefined ? "nopasswd" : "password",
    "vms.authorized_keys": spec.authorizedKeys.length === 0 ? undefined : `${spec.authorizedKeys.join("\n")}\n`,
    "vms.timezone": spec.timezone,
    "vms.locale": spec.locale,
    "vms.keymap": spec.keymap,
    ...sharesCredential(spec.shares),
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** What a clone is told: what its source was, but for what makes it another machine and what was asked for. */
export function cloneCredentials(
  source: Readonly<Record<string, string>>,
  spec: CloneSpec,
  uuid: string,
): Record<string, string> {
  const keys = spec.authorizedKeys;
  const { "vms.authorized_keys": sourceKeys, ...rest } = source;
  return {
    ...rest,
    ...(keys === undefined ? keysEntry(sourceKeys) : keysEntry(keys.length === 0 ? undefined : `${keys.join("\n")}\n`)),
    "vms.instance": uuid,
    "vms.hostname": hostnameOf(spec),
  };
}

const keysEntry = (keys: string | undefined): Record<string, string> =>
  keys === undefined ? {} : { "vms.authorized_keys": keys };

/** The hashes of those that are given, by user. */
export function givenPasswords(spec: VmSpec): Record<string, string> {
  const values = { [spec.user]: spec.password, root: spec.rootPassword };
  return Object.fromEntries(
    Object.entries(values).flatMap(([user, hash]) => (hash === undefined ? [] : [[user, hash]])),
  );
}

/** The report of the guest: `ok UUID`, or `failed UUID: why`. */
export function readIdentityReport(report: string, uuid: string): { failure?: string } | undefined {
  const match = /^(ok|failed) ([0-9a-f-]{36})(?:: (.*))?$/im.exec(report.trim());
  if (match?.[2]?.toLowerCase() !== uuid.toLowerCase()) return undefined;
  return match[1] === "ok" ? {} : { failure: match[3] ?? "no reason given" };
}
