/** A new domain's XML, from templates/domain.xml.hbs. */
import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { packageFiles } from "../paths.js";
import { type Mark, markXml } from "./mark.js";
import { tcgFeature } from "./tcg.js";

/** A file that the guest sees as a read-only disk, found by its serial under /dev/disk/by-id/virtio-<serial>. */
export interface Medium {
  readonly path: string;
  readonly serial: string;
}

/** A directory of the host that the guest mounts by 9p under its tag. */
export interface Filesystem {
  readonly source: string;
  readonly tag: string;
  readonly readOnly: boolean;
}

export interface DomainSpec {
  readonly name: string;
  readonly uuid: string;
  readonly mark: Mark;
  /** In MiB. */
  readonly memory: number;
  readonly cpus: number;
  readonly acceleration: "kvm" | "tcg";
  readonly mac: string;
  /** A libvirt network's name; undefined for user-mode networking, which needs nothing of the host. */
  readonly network: string | undefined;
  readonly disk: string;
  readonly nvram: string;
  /** Where libvirt appends what the serial console prints. */
  readonly consoleLog?: string | undefined;
  /** SPICE on the loopback, a tablet and the clipboard channel. */
  readonly display: boolean;
  /** systemd credentials for the guest, by SMBIOS; every local user can read them in qemu's arguments. */
  readonly credentials?: Readonly<Record<string, string>> | undefined;
  /** Boots this kernel instead of the disk. */
  readonly installer?:
    { readonly kernel: string; readonly initramfs: string; readonly commandLine: string } | undefined;
  readonly media?: readonly Medium[] | undefined;
  readonly filesystems?: readonly Filesystem[] | undefined;
}

let template: Handlebars.TemplateDelegate | undefined;

export function domainXml(spec: DomainSpec): string {
  template ??= Handlebars.compile(readFileSync(packageFiles.domainTemplate, "utf8"), { strict: false });
  return template({
    ...spec,
    kvm: spec.acceleration === "kvm",
    tcgFeature,
    mark: markXml(spec.mark, spec.uuid),
    credentials: Object.entries(spec.credentials ?? {}).map(([name, value]) => credentialEntry(name, value)),
    media: (spec.media ?? []).map((medium, index) => ({ ...medium, target: `vd${"bcdefgh".charAt(index)}` })),
  });
}

/** systemd reads credentials from SMBIOS type 11 strings of this form, see systemd.system-credentials(7); base64 keeps any byte. */
export function credentialEntry(name: string, value: string): string {
  return `io.systemd.credential.binary:${name}=${Buffer.from(value, "utf8").toString("base64")}`;
}

/** A random address of the range that qemu and libvirt use (52:54:00). */
export function randomMac(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(3));
  return ["52", "54", "00", ...[...bytes].map((byte) => byte.toString(16).padStart(2, "0"))].join(":");
}
