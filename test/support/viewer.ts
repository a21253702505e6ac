/** A viewer on a VM's display, on a screen that is only in memory; with hands: keys, a pointer, a clipboard. */
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { PNG } from "pngjs";
import { packageFiles } from "../../provider/paths.js";
import { eventually, minute } from "./scene.js";

export interface Viewer {
  /** What is on the screen that the viewer is on. */
  picture(): PNG;
  resize(width: number, height: number): Promise<void>;
  /** Clicks into the middle of the VM's display, so that the keyboard is the VM's. */
  click(): Promise<void>;
  key(keys: string): Promise<void>;
  type(text: string): Promise<void>;
  copy(text: string): Promise<void>;
  paste(): Promise<string>;
  close(): Promise<void>;
}

/** Calls `vms viewer` as a user with a screen does, and waits for its window. */
export async function openViewer(name: string): Promise<Viewer> {
  const directory = mkdtempSync(join(tmpdir(), "vms-screen-"));
  const screen = execa("Xvfb", ["-displayfd", "1", "-screen", "0", "1200x800x24", "-fbdir", directory], {
    reject: false,
    stderr: "ignore",
  });
  // Of a program that stays to serve the clipboard nothing is waited for but its start.
  const copying: { kill(): boolean }[] = [];
  const close = async () => {
    // The viewer ends with its screen.
    for (const program of [...copying, screen]) program.kill();
    await screen;
    rmSync(directory, { recursive: true, force: true });
  };
  const env = { DISPLAY: "" };
  const hands = async (...args: string[]) => (await execa("xdotool", args, { env, reject: false })).stdout;
  let window = "";
  try {
    env.DISPLAY = `:${await firstLine(screen.stdout)}`;
    await execa(process.execPath, [join(packageFiles.root, "dist/cli/main.js"), "viewer", name], { env });
    await eventually(async () => {
      // Its own title begins with the VM's name when it is connected.
      window = await hands("search", "--onlyvisible", "--name", `^${name} `);
      return /^\d+$/.test(window);
    }, 2 * minute);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    picture: () => readScreen(join(directory, "Xvfb_screen0")),
    resize: async (width, height) => {
      await hands("windowsize", window, String(width), String(height));
    },
    click: async () => {
      const [, width = "0", height = "0"] =
        /Geometry: (\d+)x(\d+)/.exec(await hands("getwindowgeometry", window)) ?? [];
      const middle = [Number(width), Number(height)].map((length) => String(Math.floor(length / 2)));
      await hands("mousemove", "--window", window, ...middle, "click", "1");
    },
    key: async (keys) => {
      await hands("key", keys);
    },
    type: async (text) => {
      await hands("type", "--delay", "150", text);
    },
    copy: async (text) => {
      const program = execa("xclip", ["-quiet", "-selection", "clipboard", "-i"], { env, input: text, reject: false });
      copying.push(program);
      await eventually(async () => (await pasted(env)) === text, minute);
    },
    paste: () => pasted(env),
    close,
  };
}

async function pasted(env: Record<string, string>): Promise<string> {
  return (await execa("xclip", ["-selection", "clipboard", "-o"], { env, reject: false, timeout: 10_000 })).stdout;
}

/** What it writes until the line ends; the stream stays open, as a writer whose reader is gone is killed. */
function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = "";
    stream.on("data", (chunk: Buffer) => {
      line += chunk.toString();
      if (line.endsWith("\n")) resolve(line.trim());
    });
    stream.on("end", () => {
      reject(new Error("Xvfb did not start"));
    });
  });
}

/** A window dump of X: a header of big-endian numbers, colours that do not matter here, pixels of four bytes. */
function readScreen(file: string): PNG {
  const dump = readFileSync(file);
  const number = (index: number) => dump.readUInt32BE(index * 4);
  const [width, height, line] = [number(4), number(5), number(12)];
  const start = number(0) + number(19) * 12;
  const picture = new PNG({ width, height });
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const pixel = dump.readUInt32LE(start + y * line + x * 4);
      picture.data.writeUInt32BE(((pixel << 8) | 0xff) >>> 0, (y * width + x) * 4);
    }
  return picture;
}
