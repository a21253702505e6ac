/**
 * The ownership mark: an element of ours in a domain's `<metadata>`. It says whose the domain is, which files belong to it and
 * how far its making got, so that a crash leaves nothing that cannot be recognised. What bears no mark is never touched.
 */
import { attribute, childrenOf, elements, escapeXml, find, textOf, type XmlNode } from "./xml.js";

export const markNamespace = "urn:pulumi-vms:vm:1";

/** `installing`: an image is being made in it. `creating`, `ready`, `deleting`: the life of a VM. */
export type Phase = "installing" | "creating" | "ready" | "deleting";

const phases: readonly string[] = ["installing", "creating", "ready", "deleting"] satisfies Phase[];

export interface Owner {
  /** Compared: `cli`, `image`, or `stack:<fingerprint>`. */
  readonly id: string;
  /** Shown: "the command line", or a stack's name and URN. */
  readonly label: string;
}

export interface Mark {
  readonly owner: Owner;
  readonly phase: Phase;
  readonly profile: string;
  /** Hash of the image's recipe. */
  readonly image: string;
  /** Absolute paths of what belongs to this domain alone, and goes with it. */
  readonly files: readonly string[];
  /** Of an install: the name of the VM that it is made for. */
  readonly madeFor?: string | undefined;
  /** When its disks were last frozen for a clone, on the clock of `host/moment.ts`. */
  readonly frozen?: string | undefined;
}

/** The mark of the domain of that UUID, as the element that stands in `<metadata>`. Without one it is a mark wherever it stands. */
export function markXml(mark: Mark, uuid: string | undefined): string {
  const attributes = Object.entries({
    "xmlns:vms": markNamespace,
    ...(uuid === undefined ? {} : { uuid }),
    owner: mark.owner.id,
    label: mark.owner.label,
    phase: mark.phase,
    profile: mark.profile,
    image: mark.image,
    ...(mark.madeFor === undefined ? {} : { "made-for": mark.madeFor }),
    ...(mark.frozen === undefined ? {} : { frozen: mark.frozen }),
  })
    .map(([name, value]) => `${name}="${escapeXml(value)}"`)
    .join(" ");
  return `<vms:vm ${attributes}>${mark.files.map((path) => `<vms:file path="${escapeXml(path)}"/>`).join("")}</vms:vm>`;
}

/** The element of ours in a parsed domain, whatever it says. */
export function findMark(document: readonly XmlNode[]): XmlNode | undefined {
  const metadata = find(document, "domain", "metadata");
  if (metadata === undefined) return undefined;
  return childrenOf(metadata).find(
    (child) => Object.keys(child).some((key) => /(^|:)vm$/.test(key)) && namespaceOf(child) === markNamespace,
  );
}

/**
 * The mark in a parsed domain; undefined where there is none, or none that we understand: then the domain is not ours. Nor is one to
 * which somebody copied the definition of a VM of ours (virt-clone does that): the files in such a mark are the other one's.
 */
export function readMark(document: readonly XmlNode[]): Mark | undefined {
  const node = findMark(document);
  const [owner, phase] = [attribute(node, "owner"), attribute(node, "phase")];
  if (node === undefined || owner === undefined || phase === undefined || !phases.includes(phase)) return undefined;
  if ((attribute(node, "uuid") ?? uuidOf(document)) !== uuidOf(document)) return undefined;
  const frozen = attribute(node, "frozen");
  const madeFor = attribute(node, "made-for");
  return {
    owner: { id: owner, label: attribute(node, "label") ?? owner },
    phase: phase as Phase,
    profile: attribute(node, "profile") ?? "",
    image: attribute(node, "image") ?? "",
    files: elements(node, "vms:file").flatMap((file) => attribute(file, "path") ?? []),
    ...(madeFor === undefined ? {} : { madeFor }),
    ...(frozen === undefined ? {} : { frozen }),
  };
}

const uuidOf = (document: readonly XmlNode[]): string | undefined => textOf(find(document, "domain", "uuid"))?.trim();

function namespaceOf(node: XmlNode): string | undefined {
  return attribute(node, "xmlns:vms") ?? attribute(node, "xmlns");
}
