/**
 * Edits of a domain's XML, one function an edit: from the text of a definition to the changed text. What an edit does not name stays
 * as it is, whoever wrote it.
 */
import { VmsError } from "../errors.js";
import { readDomain } from "./domain.js";
import { credentialEntry } from "./domain-xml.js";
import { findMark, type Mark, markXml } from "./mark.js";
import { tcgFeature } from "./tcg.js";
import {
  attribute,
  childrenOf,
  elements,
  escapeXml,
  find,
  nameOf,
  parseXml,
  spanOf,
  textOf,
  type XmlNode,
} from "./xml.js";
import { XmlEdit } from "./xml-edit.js";

/** Runs edits on one parse of the text. Throws VmsError (input) where it is no domain's XML. */
export function editDomain(xml: string, work: (edit: XmlEdit, domain: XmlNode) => void): string {
  const edit = new XmlEdit(xml);
  const domain = find(edit.document, "domain");
  if (domain === undefined) throw new VmsError("input", "the XML is not that of a domain");
  work(edit, domain);
  return edit.toString();
}

/** The devices of one kind, in their order. */
export function devicesOf(domain: XmlNode, kind?: string): XmlNode[] {
  const devices = elements(domain, "devices")[0];
  if (devices === undefined) return [];
  return kind === undefined
    ? childrenOf(devices).filter((node) => !/^[#?]/.test(nameOf(node)))
    : elements(devices, kind);
}

export const child = (node: XmlNode | undefined, name: string): XmlNode | undefined =>
  node === undefined ? undefined : elements(node, name)[0];

const ourCredential = /^io\.systemd\.credential(\.binary)?:vms\./;

/** Replaces all credentials of ours by these; strings that others hand to the guest stay. */
export function replaceCredentials(xml: string, credentials: Readonly<Record<string, string>>): string {
  const entries = Object.entries(credentials).map(
    ([name, value]) => `<entry>${escapeXml(credentialEntry(name, value))}</entry>`,
  );
  return editDomain(xml, (edit, domain) => {
    const os = child(domain, "os");
    const smbios = child(os, "smbios");
    if (smbios !== undefined) edit.setAttribute(smbios, "mode", "sysinfo");
    else if (os !== undefined) edit.append(os, "<smbios mode='sysinfo'/>");
    const sysinfo = elements(domain, "sysinfo").find((node) => attribute(node, "type") === "smbios");
    const strings = child(sysinfo, "oemStrings");
    const block = `<oemStrings>${entries.join("")}</oemStrings>`;
    if (strings !== undefined) {
      const ours = elements(strings, "entry").filter((entry) => ourCredential.test((textOf(entry) ?? "").trim()));
      for (const entry of ours) edit.remove(entry);
      edit.append(strings, ...entries);
    } else if (sysinfo !== undefined) edit.append(sysinfo, block);
    else edit.append(domain, `<sysinfo type='smbios'>${block}</sysinfo>`);
  });
}

/**
 * Points disks at other files, by their old paths, and forgets what libvirt remembered of the files behind them: a remembered
 * chain would be used even where the new file has another one.
 */
export function replaceDiskFiles(xml: string, paths: ReadonlyMap<string, string>): string {
  return editDomain(xml, (edit, domain) => {
    for (const disk of devicesOf(domain, "disk")) {
      const source = child(disk, "source");
      const path = paths.get(attribute(source, "file") ?? "");
      if (source === undefined || path === undefined) continue;
      edit.setAttribute(source, "file", path);
      for (const backing of elements(disk, "backingStore")) edit.remove(backing);
    }
  });
}

/** Metadata of other tools stays. */
export function replaceMark(xml: string, mark: Mark): string {
  return editDomain(xml, (edit, domain) => {
    const ours = findMark(edit.document);
    const metadata = child(domain, "metadata");
    const text = markXml(mark, textOf(child(domain, "uuid"))?.trim());
    if (ours !== undefined) edit.replace(ours, text);
    else if (metadata !== undefined) edit.append(metadata, text);
    else edit.append(domain, `<metadata>${text}</metadata>`);
  });
}

/** The modes that stand for "all that there is"; a model that a user chose stays. */
const wholeCpu: readonly (string | undefined)[] = ["host-passthrough", "host-model", "maximum"];

export function setAcceleration(xml: string, acceleration: "kvm" | "tcg"): string {
  return editDomain(xml, (edit, domain) => {
    const type = acceleration === "kvm" ? "kvm" : "qemu";
    if (attribute(domain, "type") !== type) setTcgFeature(edit, domain, acceleration);
    edit.setAttribute(domain, "type", type);
    const cpu = child(domain, "cpu");
    if (cpu === undefined || !wholeCpu.includes(attribute(cpu, "mode"))) return;
    edit.setAttribute(cpu, "mode", acceleration === "kvm" ? "host-passthrough" : "maximum");
  });
}

/** libvirt refuses it where nothing is emulated. */
function setTcgFeature(edit: XmlEdit, domain: XmlNode, acceleration: "kvm" | "tcg"): void {
  const features = child(domain, "features");
  const tcg = features === undefined ? undefined : child(features, "tcg");
  if (acceleration === "kvm" && tcg !== undefined) edit.remove(tcg);
  if (acceleration === "tcg" && features !== undefined && tcg === undefined) edit.append(features, tcgFeature);
}

/** Connects the interface of this MAC to a libvirt network, or to user-mode networking where that is undefined. */
export function setNetwork(xml: string, mac: string, network: string | undefined): string {
  return editDomain(xml, (edit, domain) => {
    const nic = findInterface(domain, mac);
    edit.setAttribute(nic, "type", network === undefined ? "user" : "network");
    const source = child(nic, "source");
    if (network === undefined) {
      if (source !== undefined) edit.remove(source);
    } else if (source !== undefined) edit.replace(source, `<source network='${escapeXml(network)}'/>`);
    else edit.append(nic, `<source network='${escapeXml(network)}'/>`);
  });
}

/** The interface of this MAC, as it stands in the domain's XML. */
export function interfaceXml(xml: string, mac: string): string {
  const { start, end } = spanOf(findInterface(find(parseXml(xml), "domain") ?? {}, mac));
  return xml.slice(start, end);
}

function findInterface(domain: XmlNode, mac: string): XmlNode {
  const nic = devicesOf(domain, "interface").find((node) => attribute(child(node, "mac"), "address") === mac);
  if (nic === undefined) throw new VmsError("gone", `it has no interface with the MAC ${mac} any more`);
  return nic;
}

/**
 * In MiB: what it starts with, and with it the most that it can have while it runs. A greater maximum that somebody has set, to
 * raise it while it runs, stays.
 */
export function setMemory(xml: string, memory: number): string {
  const { memory: before, mostMemory } = readDomain(xml);
  if (memory === before) return xml;
  return editDomain(xml, (edit, domain) => {
    if (child(child(domain, "cpu"), "numa") !== undefined) throw fixed("memory", "NUMA cells");
    const most = child(domain, "memory");
    const current = child(domain, "currentMemory");
    const roomy = current !== undefined && before < mostMemory && memory <= mostMemory;
    for (const node of roomy ? [current] : [most, current]) {
      if (node === undefined) continue;
      edit.setAttribute(node, "unit", "MiB");
      edit.setText(node, String(memory));
    }
  });
}

/** How many it starts with, and with it the most that it can have while it runs, but where a greater maximum was set. */
export function setCpus(xml: string, cpus: number): string {
  const { cpus: before, mostCpus } = readDomain(xml);
  if (cpus === before) return xml;
  return editDomain(xml, (edit, domain) => {
    const vcpu = child(domain, "vcpu");
    const cpu = child(domain, "cpu");
    const shaped = child(cpu, "topology") !== undefined;
    if (child(cpu, "numa") !== undefined) throw fixed("cpus", "NUMA cells");
    if (shaped && cpus > mostCpus) throw fixed("cpus", "a processor topology");
    for (const list of elements(domain, "vcpus")) edit.remove(list);
    if (vcpu === undefined) {
      edit.append(domain, `<vcpu>${cpus}</vcpu>`);
      return;
    }
    const roomy = cpus <= mostCpus && (shaped || before < mostCpus);
    edit.setAttribute(vcpu, "current", roomy && cpus < mostCpus ? String(cpus) : undefined);
    if (!roomy) edit.setText(vcpu, String(cpus));
  });
}

function fixed(what: string, by: string): VmsError {
  return new VmsError("unsupported", `its ${what} cannot be changed: its definition fixes them by ${by}`, {
    hint: `Change both by hand with virsh edit, or leave ${what} out`,
  });
}

/** Where libvirt appends what the first serial console prints. */
export function setConsoleLog(xml: string, path: string): string {
  return editDomain(xml, (edit, domain) => {
    const serial = devicesOf(domain, "serial")[0];
    // libvirt shows the first serial port as a console as well, with the same log.
    const consoles = devicesOf(domain, "console").filter(
      (node) => attribute(child(node, "target"), "type") === "serial",
    );
    for (const node of [serial, consoles[0]]) {
      if (node === undefined) continue;
      const log = child(node, "log");
      if (log !== undefined) edit.setAttribute(log, "file", path);
      else if (node === serial) edit.append(node, `<log file='${escapeXml(path)}' append='on'/>`);
    }
  });
}
