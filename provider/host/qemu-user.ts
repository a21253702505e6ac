/** As whom libvirt runs qemu: who must be able to read and write disks, whoever owns them. */
import { hasCode } from "../errors.js";
import { findUser } from "./accounts.js";
import { attempt } from "./command.js";

/** What Debian, Ubuntu and Arch call that user, for as long as libvirt cannot be asked. */
const usualName = "libvirt-qemu";

/** Its user id; 0 where qemu runs as root, undefined where neither libvirt nor the system's users tell. */
export async function findQemuUser(): Promise<number | undefined> {
  return (await askLibvirt()) ?? (await findUser(usualName))?.uid;
}

async function askLibvirt(): Promise<number | undefined> {
  try {
    const { status, stdout } = await attempt(["virsh", "--quiet", "--connect", "qemu:///system", "capabilities"], {
      timeout: 30,
    });
    return status === 0 ? parseBaseLabel(stdout) : undefined;
  } catch (error) {
    if (hasCode(error, "requirement")) return undefined;
    throw error;
  }
}

/** `<model>dac</model>` and behind it `<baselabel type='qemu'>+64055:+64055</baselabel>`. */
export function parseBaseLabel(capabilities: string): number | undefined {
  const dac = /<model>dac<\/model>[\s\S]*?<\/secmodel>/.exec(capabilities)?.[0] ?? "";
  const uid = /<baselabel type='(?:qemu|kvm)'>\+?(\d+):/.exec(dac)?.[1];
  return uid === undefined ? undefined : Number(uid);
}
