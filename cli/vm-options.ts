/** Flags that stand for more than their own text: files, standard input, pairs of paths. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text as readText } from "node:stream/consumers";
import { type ErrorOptions, VmsError } from "../provider/errors.js";
import { checkKey } from "../provider/keys-input.js";

/** The public keys in files such as ~/.ssh/id_ed25519.pub or an authorized_keys; undefined where no file is named. */
export async function readKeys(files: readonly string[] | undefined): Promise<string[] | undefined> {
  if (files === undefined) return undefined;
  return (await Promise.all(files.map(readKeyFile))).flat();
}

async function readKeyFile(file: string): Promise<string[]> {
  const refuse = (reason: string, options: ErrorOptions = {}) =>
    new VmsError("input", `--ssh-key ${file}: ${reason}`, options);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw refuse((error as Error).message, { cause: error });
  });
  if (text.includes("PRIVATE KEY"))
    throw refuse("it is a private key, which no guest must see", {
      hint: `Give the public one: --ssh-key ${file}.pub`,
    });
  const keys = text.split(/\r?\n/).flatMap((line) => (/^\s*(#|$)/.test(line) ? [] : [line.trim()]));
  for (const verdict of keys.map(checkKey)) if ("failure" in verdict) throw refuse(verdict.failure);
  if (keys.length === 0) throw refuse("it holds no key", { hint: "Make one: ssh-keygen -t ed25519" });
  return keys;
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
