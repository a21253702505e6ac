/** What of a domain a clone could not have for itself: each is a reason to refuse, before anything changes. */
import { child, devicesOf } from "./domain-edit.js";
import { attribute, elements, find, nameOf, parseXml, textOf, type XmlNode } from "./xml.js";

/** Sentences that name what stands in the way; none where the domain can be cloned. */
export function whatCannotBeCloned(sourceXml: string): string[] {
  const document = parseXml(sourceXml);
  const domain = find(document, "domain");
  if (domain === undefined) return ["its XML is not that of a domain"];
  return [
    ...firmwareReasons(domain),
    ...devicesOf(domain, "disk").flatMap(diskReasons),
    ...devicesOf(domain, "interface").flatMap(interfaceReasons),
    ...devicesOf(domain).flatMap(deviceReasons),
  ];
}

function firmwareReasons(domain: XmlNode): string[] {
  const os = child(domain, "os");
  const loader = child(os, "loader");
  const nvram = child(os, "nvram");
  const kind = attribute(nvram, "type");
  return [
    ...(attribute(loader, "readonly") === "no" ? [`its firmware ${textOf(loader) ?? ""} is writable`] : []),
    ...(kind !== undefined && kind !== "file" ? [`its UEFI variables are on a ${kind} device, not in a file`] : []),
  ];
}

/** Several domains can read it at a time. */
export function isReadOnly(disk: XmlNode): boolean {
  return attribute(disk, "device") === "cdrom" || child(disk, "readonly") !== undefined;
}

function diskReasons(disk: XmlNode): string[] {
  const target = attribute(child(disk, "target"), "dev") ?? "?";
  const source = child(disk, "source");
  const type = attribute(disk, "type") ?? "file";
  if (type !== "file" && !(isReadOnly(disk) && ["network", "volume"].includes(type))) {
    const place = attribute(source, "dev") ?? attribute(source, "name") ?? attribute(source, "volume") ?? "";
    return [`its disk ${target} is a ${type} device${place === "" ? "" : ` (${place})`}, not a file`];
  }
  if (isReadOnly(disk) || source === undefined) return [];
  const what = `its disk ${target} (${attribute(source, "file") ?? "?"})`;
  const format = attribute(child(disk, "driver"), "type") ?? "raw";
  return [
    ...(format === "qcow2" ? [] : [`${what} is ${format}, not qcow2`]),
    ...(child(disk, "transient") === undefined ? [] : [`${what} is transient: what is written to it is thrown away`]),
    ...(child(disk, "shareable") === undefined ? [] : [`${what} is shared with other domains`]),
    ...((child(source, "encryption") ?? child(disk, "encryption")) ? [`${what} is encrypted`] : []),
    ...(child(source, "dataStore") === undefined ? [] : [`${what} keeps its data in another file`]),
  ];
}

function interfaceReasons(nic: XmlNode): string[] {
  const what = `its network interface ${attribute(child(nic, "mac"), "address") ?? ""}`;
  const type = attribute(nic, "type") ?? "";
  if (["hostdev", "vdpa"].includes(type)) return [`${what} is a device of the host that is passed through`];
  if (["vhostuser", "server", "udp"].includes(type))
    return [`${what} is of the type ${type}, which one domain can use`];
  if (elements(nic, "portForward").length > 0) return [`${what} forwards ports of the host, which one domain can use`];
  return attribute(child(nic, "target"), "managed") === "no"
    ? [`${what} uses the host's device ${attribute(child(nic, "target"), "dev") ?? ""}, which one domain can use`]
    : [];
}

function deviceReasons(device: XmlNode): string[] {
  const kind = nameOf(device);
  const type = attribute(device, "type") ?? "";
  const source = child(device, "source");
  switch (kind) {
    case "hostdev":
      return [`a ${type} device of the host is passed through to it`];
    case "lease":
      return ["it holds a lease, which one domain can hold"];
    case "input":
      if (!["passthrough", "evdev"].includes(type)) return [];
      return [
        `an input device of the host is passed through to it (${attribute(source, "dev") ?? attribute(source, "evdev") ?? type})`,
      ];
    case "tpm":
      return tpmReasons(child(device, "backend"));
    case "memory":
      if (!["nvdimm", "virtio-pmem"].includes(attribute(device, "model") ?? "")) return [];
      return [`it keeps memory in a file (${textOf(child(source, "path")) ?? attribute(device, "model") ?? ""})`];
    case "filesystem":
      if (attribute(source, "socket") === undefined) return [];
      return [`a virtiofsd that libvirt did not start serves it at ${attribute(source, "socket") ?? ""}`];
    case "serial":
    case "parallel":
    case "console":
    case "channel":
    case "redirdev":
      return characterReasons(kind, type, source);
    default:
      return [];
  }
}

/** An emulated TPM is no reason: its state is kept by the domain's UUID, so that a clone gets a new, empty one. */
function tpmReasons(backend: XmlNode | undefined): string[] {
  const type = attribute(backend, "type") ?? "";
  if (type === "passthrough") return ["the host's TPM is passed through to it"];
  if (type === "external") return ["its TPM is served by a program that libvirt did not start"];
  const source = child(backend, "source");
  return source === undefined ? [] : [`it keeps its TPM at a path of its own (${attribute(source, "path") ?? "?"})`];
}

function characterReasons(kind: string, type: string, source: XmlNode | undefined): string[] {
  const path = attribute(source, "path") ?? "";
  if (type === "dev") return [`the host's device ${path} is passed through to its ${kind}`];
  if (type === "pipe") return [`its ${kind} is the pipe ${path}, which one domain can use`];
  const binds = type === "udp" || (type === "tcp" && attribute(source, "mode") === "bind");
  if (!binds) return [];
  return [`its ${kind} listens on the ${type} port ${attribute(source, "service") ?? "?"}, which one domain can do`];
}
