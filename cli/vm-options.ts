/** Flags that stand for more than their own text: files, standard input, pairs of paths. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text as readText } from "node:stream/consumers";
import { VmsError } from "../provider/errors.js";

/** The public keys in files such as ~/.ssh/id_ed25519.pub or an authorized_keys; undefined where no file is named. */
export async function readKeys(files: readonly string[] | undefined): Promise<string[] | undefined> {
  if (files === undefined) return undefined;
  const texts = await Promise.all(files.map(readKeyFile));
  return texts.flatMap((text) => text.split(/\r?\n/).map((line) => line.trim())).filter((line) => !/^(#|$)/.test(line));
}

async function readKeyFile(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new VmsError("input", `--ssh-key ${file}: ${(error as Error).message}`, { cause: error });
  }
  if (!text.includes("PRIVATE KEY")) return text;
  throw new VmsError("input", `--ssh-key ${file}: it is a private key, which no guest must see`, {
    hint: `Give the public one: --ssh-key ${file}.pub`,
  });
}

/** The first line of standard input: nobody sees it in the list of processes or in a shell's history. */
export async function readPassword(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new VmsError("input", "--password-stdin: standard input is the terminal, which would show it", {
      hint: "Hand it over: vms create ... --password-stdin < FILE",
    });
  }
  return (await readText(process.stdin)).replace(/\r?\n[^]*$/, "");
}

export interface ShareFlag {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** `SOURCE:TARGET` or `SOURCE:TARGET:ro`; the source may be relative to where we are. */
export function parseShare(text: string): ShareFlag {
  const [source = "", target = "", mode, ...more] = text.split(":");
  if (source === "" || target === "" || more.length > 0 || (mode !== undefined && mode !== "ro")) {
    throw new VmsError("input", `--share ${text}: it is not SOURCE:TARGET or SOURCE:TARGET:ro`, {
      hint: "Such as --share ./src:/home/user/src",
    });
  }
  return { source: resolve(source), target, readOnly: mode === "ro" };
}
