/**
 * What only one domain at a time can have on the host: sockets, files that are written, ports, device names. A clone gets its
 * own where libvirt cannot choose, and leaves it to libvirt where it can.
 */
import { basename, dirname, extname, join } from "node:path";
import { child, devicesOf, editDomain } from "./domain-edit.js";
import { attribute, childrenOf, elements, nameOf, textOf, type XmlNode } from "./xml.js";
import type { XmlEdit } from "./xml-edit.js";

/**
 * The clone's own path for one of its source: in the same directory, for another may not exist; with the clone's name in place
 * of the source's, or added.
 */
export function ownPath(path: string, source: string, clone: string): string {
  const name = basename(path);
  const extension = extname(name);
  const word = new RegExp(`(?<![A-Za-z0-9])${source.replace(/[^A-Za-z0-9]/g, "\\$&")}(?![A-Za-z0-9])`, "g");
  const renamed = name.replace(word, () => clone);
  const own = renamed === name ? `${basename(name, extension)}-${clone}${extension}` : renamed;
  return join(dirname(path), own);
}

export function replaceEndpoints(xml: string, source: string, clone: string): string {
  const own = (path: string): string => ownPath(path, source, clone);
  return editDomain(xml, (edit, domain) => {
    for (const device of devicesOf(domain)) {
      for (const node of withInner(device)) ownFiles(edit, node, own);
      if (nameOf(device) === "interface") freeInterface(edit, device);
      if (nameOf(device) === "graphics") freeDisplay(edit, device, own);
      if (nameOf(device) === "vsock") freeVsock(edit, device);
      if (nameOf(device) === "pstore") ownText(edit, child(device, "path"), own);
    }
  });
}

function withInner(node: XmlNode): XmlNode[] {
  return [node, ...childrenOf(node).flatMap(withInner)];
}

/** Any character device: a console, a channel, the back end of a random number generator. */
function ownFiles(edit: XmlEdit, device: XmlNode, own: (path: string) => string): void {
  const type = attribute(device, "type");
  for (const node of elements(device, "source")) {
    const path = attribute(node, "path");
    const binds = attribute(node, "mode") === "bind";
    if (path !== undefined && (type === "file" || (type === "unix" && binds) || binds))
      edit.setAttribute(node, "path", own(path));
  }
  for (const node of elements(device, "log")) {
    const file = attribute(node, "file");
    if (file !== undefined) edit.setAttribute(node, "file", own(file));
  }
}

/** The name of the host's end, and the identity of a port in a virtual switch: libvirt makes new ones. */
function freeInterface(edit: XmlEdit, nic: XmlNode): void {
  const target = child(nic, "target");
  if (attribute(target, "dev") !== undefined && target !== undefined) edit.remove(target);
  const parameters = child(child(nic, "virtualport"), "parameters");
  if (parameters === undefined) return;
  for (const name of ["interfaceid", "instanceid"]) edit.setAttribute(parameters, name, undefined);
}

function freeDisplay(edit: XmlEdit, graphics: XmlNode, own: (path: string) => string): void {
  const fixedPort = (name: string): boolean => Number(attribute(graphics, name) ?? "-1") > 0;
  if (fixedPort("port") || fixedPort("tlsPort")) {
    edit.setAttribute(graphics, "port", attribute(graphics, "port") === undefined ? undefined : "-1");
    edit.setAttribute(graphics, "tlsPort", attribute(graphics, "tlsPort") === undefined ? undefined : "-1");
    edit.setAttribute(graphics, "autoport", "yes");
  }
  if (fixedPort("websocket")) edit.setAttribute(graphics, "websocket", "-1");
  for (const node of [graphics, ...elements(graphics, "listen")]) {
    const socket = attribute(node, "socket");
    if (socket !== undefined) edit.setAttribute(node, "socket", own(socket));
  }
}

function freeVsock(edit: XmlEdit, vsock: XmlNode): void {
  const cid = child(vsock, "cid");
  if (cid === undefined) return;
  edit.setAttribute(cid, "auto", "yes");
  edit.setAttribute(cid, "address", undefined);
}

function ownText(edit: XmlEdit, node: XmlNode | undefined, own: (path: string) => string): void {
  const path = textOf(node)?.trim();
  if (node !== undefined && path !== undefined && path !== "") edit.setText(node, own(path));
}
