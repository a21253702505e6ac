/** An ISO that a user names by path: trusted, but it must be whole. */
import { access, constants, stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import type { Context } from "../context.js";
import { VmsError, hasCode, toVmsError } from "../errors.js";
import { checkIsoImage } from "./iso-image.js";
import { makeIsoDirectory, recallIso, rememberIso } from "./iso-index.js";
import type { Iso } from "./iso-input.js";
import { hashIso } from "./iso-verify.js";
import { isErrno } from "../host/errno.js";

export async function useLocalIso(path: string, context: Context): Promise<Iso> {
  await checkReadable(path);
  await checkIsoImage(path);
  context.progress.notice(`the ISO ${path} is used as it is: no checksum and no signature is asked for`);
  const known = await recallIso(context, path);
  if (known !== undefined) return { path, sha256: known.sha256 };
  context.progress.phase("checking the ISO");
  const { sha256, state } = await hashIso(path, context);
  await rememberIfAllowed(context, () => rememberIso(context, path, state, { sha256 }));
  return { path, sha256 };
}

/** Where the ISO directory is not ours to write, the checksum is worked out each time: slower, and nothing else. */
async function rememberIfAllowed(context: Context, remember: () => Promise<void>): Promise<void> {
  try {
    await makeIsoDirectory(context);
    await remember();
  } catch (error) {
    if (!hasCode(error, "permission") && !isErrno(error, "EACCES", "EROFS")) throw error;
    context.progress.notice(`the ISO's checksum is not kept for the next time: ${toVmsError(error).reason}`);
  }
}

async function checkReadable(path: string): Promise<void> {
  const found = await lookAt(path);
  if (!found.isFile()) {
    const kind = found.isDirectory() ? "a folder" : "no regular file";
    throw new VmsError("input", `it is ${kind}`, { hint: "Give the path of an ISO file" });
  }
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw new VmsError("permission", "you may not read it", { hint: `Run: chmod a+r ${path}`, cause: error });
  }
}

async function lookAt(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (error) {
    const hint = "Give the path of an ISO file that is there, or leave iso out for the official one";
    if (isErrno(error, "ENOENT", "ENOTDIR"))
      throw new VmsError("gone", "there is no such file", { hint, cause: error });
    throw new VmsError("permission", `it cannot be looked at: ${toVmsError(error).reason}`, { cause: error });
  }
}
