/** What is on a VM's screen: the windows, asked of i3 inside, and the picture, taken by the hypervisor from outside. */
import { readFileSync, rmSync } from "node:fs";
import { PNG } from "pngjs";
import { inGuest } from "./guest.js";
import { virsh } from "./store.js";

export interface Window {
  readonly class: string;
  readonly title: string;
  readonly area: Area;
}

interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The part of i3's tree that is read here. */
interface Node {
  readonly rect: Area;
  readonly window_properties?: { readonly class?: string; readonly title?: string };
  readonly nodes: readonly Node[];
  readonly floating_nodes: readonly Node[];
}

/** Every window of the session of the VM's user, i3's bar among them; none where no session is there. */
export async function windows(uuid: string, user = "user"): Promise<Window[]> {
  const tree = await inGuest(
    uuid,
    `! pgrep -u ${user} -x i3 >/dev/null || runuser -u ${user} -- env DISPLAY=:0 i3-msg -t get_tree 2>/dev/null || true`,
  );
  return tree.startsWith("{") ? windowsBelow(JSON.parse(tree) as Node) : [];
}

function windowsBelow(node: Node): Window[] {
  const { class: name, title } = node.window_properties ?? {};
  const own = name === undefined ? [] : [{ class: name, title: title ?? "", area: node.rect }];
  return [...own, ...[...node.nodes, ...node.floating_nodes].flatMap(windowsBelow)];
}

/** Writes what the VM shows to `file`, a PNG, and returns it decoded. */
export function screenshot(uuid: string, file: string): PNG {
  rmSync(file, { force: true });
  virsh("screenshot", uuid, file);
  return PNG.sync.read(readFileSync(file));
}

/** How many colours there are in a part of the picture, in all of it by default. */
export function colours(
  picture: PNG,
  area: Area = { x: 0, y: 0, width: picture.width, height: picture.height },
): number {
  const found = new Set<number>();
  for (let y = area.y; y < Math.min(area.y + area.height, picture.height); y++)
    for (let x = area.x; x < Math.min(area.x + area.width, picture.width); x++)
      found.add(picture.data.readUInt32BE((y * picture.width + x) * 4));
  return found.size;
}

/** How much of the picture has this colour, 0xrrggbb; from 0 to 1. */
export function share(picture: PNG, colour: number): number {
  const wanted = ((colour << 8) | 0xff) >>> 0;
  let count = 0;
  for (let offset = 0; offset < picture.data.length; offset += 4)
    if (picture.data.readUInt32BE(offset) === wanted) count++;
  return (count * 4) / picture.data.length;
}
