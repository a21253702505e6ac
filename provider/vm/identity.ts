/** What a guest is told about itself, as systemd credentials (guest/identity.sh takes them on at its first boot). */
import { hostnameOf, type VmSpec } from "./spec.js";

/** Where the guest says how that went. */
export const identityReport = "/run/vms/identity";

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
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The report of the guest: `ok UUID`, or `failed UUID: why`. */
export function readIdentityReport(report: string, uuid: string): { failure?: string } | undefined {
  const match = /^(ok|failed) ([0-9a-f-]{36})(?:: (.*))?$/im.exec(report.trim());
  if (match?.[2]?.toLowerCase() !== uuid.toLowerCase()) return undefined;
  return match[1] === "ok" ? {} : { failure: match[3] ?? "no reason given" };
}
