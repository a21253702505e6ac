/**
 * The installation medium: from what a user gives to a file that may be booted.
 *
 * | given | taken when |
 * |---|---|
 * | nothing | Arch's checksum holds and the release key's signature verifies (keys/) |
 * | `{ url, sha256 }` | the checksum holds |
 * | a URL | the checksum in sha256sums.txt beside it holds |
 * | a path | it is a whole ISO 9660 image; a notice says that nothing else is asked for |
 *
 * Downloads are kept in the ISO directory (`VMS_ISO`) and used again without the network.
 */
import type { Context } from "../context.js";
import { cannot } from "../errors.js";
import { patience } from "./iso-http.js";
import { type Iso, type IsoInput, parseIsoInput } from "./iso-input.js";
import { useLocalIso } from "./iso-local.js";
import { archRelease, ensureOfficialIso } from "./iso-official.js";
import { ensureRemoteIso } from "./iso-remote.js";

export { type Iso, type IsoInput, checkIsoInput } from "./iso-input.js";

/**
 * The ISO that `input` names, `undefined` being the official one: fetched where it is not here yet, and verified.
 *
 * Throws VmsError: input (cannot be understood, or no checksum is to be found), gone (no such file), permission,
 * checksum (truncated, no ISO, wrong checksum or signature), unreachable (the server), requirement (no space left),
 * foreign (a file that is not ours has the name), cancelled.
 */
export async function ensureIso(input: IsoInput | undefined, context: Context): Promise<Iso> {
  try {
    const source = parseIsoInput(input);
    if (source.kind === "path") return await useLocalIso(source.path, context);
    const official = source.kind === "official" || (source.url === archRelease.url && source.sha256 === undefined);
    return await (official
      ? ensureOfficialIso(archRelease, context, patience)
      : ensureRemoteIso(source, context, patience));
  } catch (error) {
    throw cannot("use", "ISO", nameOf(input), error);
  }
}

function nameOf(input: IsoInput | undefined): string {
  return typeof input === "object" ? input.url : (input ?? archRelease.url);
}
