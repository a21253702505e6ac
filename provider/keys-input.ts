/** Public keys that may log in to a VM. */
import { listOf, text, type Verdict } from "./inputs.js";

export function checkKey(value: unknown): Verdict {
  const pattern =
    /^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+=*( [^\n\r\0]*)?$/;
  return text(pattern, "an OpenSSH public key, one line as in a .pub file")(value);
}

/** They travel in SMBIOS strings, of which a machine has 32 KiB in all; base64 makes four bytes of three. */
const mostKeyBytes = 16 * 1024;

export function checkKeys(value: unknown): Verdict {
  const verdict = listOf(checkKey)(value);
  if ("failure" in verdict || Buffer.byteLength((verdict.value as string[]).join("\n")) <= mostKeyBytes) return verdict;
  return { failure: `are more than ${mostKeyBytes} bytes together, which is the most that can be handed to a guest` };
}
