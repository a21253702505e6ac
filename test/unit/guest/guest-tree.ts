/** A small tree that stands for the root of an installed guest, and the guest's scripts run on it. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { attempt, type RunResult } from "../../../provider/host/command.js";

/** From dist/test/unit/guest to the checkout. */
const checkout = join(import.meta.dirname, "../../../..");
export const guestScripts = join(checkout, "guest");
const fixtures = join(checkout, "test/fixtures/guest/bin");

export const firstUuid = "3f2c5a0e-0000-4000-8000-000000000001";
export const secondUuid = "3f2c5a0e-0000-4000-8000-000000000002";

const files: Record<string, string> = {
  "etc/machine-id": "11111111111111111111111111111111\n",
  "etc/hostname": "archlinux\n",
  "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 archlinux\n",
  "etc/locale.gen": "# a comment\n#de_DE.UTF-8 UTF-8  \n#de_DE ISO-8859-1  \nen_US.UTF-8 UTF-8\n",
  "etc/locale.conf": "LANG=en_US.UTF-8\n",
  "etc/vconsole.conf": "KEYMAP=us\n",
  "etc/passwd": "root:x:0:0::/root:/bin/bash\nbin:x:1:1::/:/usr/bin/nologin\n",
  "etc/shadow": "root:!:1::::::\nbin:!*:1::::::\n",
  "etc/group": "root:x:0:root\nbin:x:1:\nwheel:x:998:\n",
  "etc/gshadow": "root:::root\nbin:!*::\nwheel:!*::\n",
  "etc/login.defs": "UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUSERGROUPS_ENAB yes\nHOME_MODE 0700\n",
  "etc/subuid": "",
  "etc/subgid": "",
  "usr/share/zoneinfo/Europe/Berlin": "TZif",
  "usr/share/kbd/keymaps/i386/qwertz/de-latin1.map.gz": "",
  "usr/lib/systemd/system/sshd.service":
    "[Service]\nExecStart=/usr/bin/sshd -D\n[Install]\nWantedBy=multi-user.target\n",
};

export class GuestTree {
  constructor(readonly root: string) {
    for (const [path, content] of Object.entries(files)) this.write(path, content);
    for (const folder of ["root", "home", "run/vms", "var/lib/vms", "fixture", "etc/ssh"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    this.wakeUpIn(firstUuid);
  }

  wakeUpIn(uuid: string): void {
    this.write("sys/class/dmi/id/product_uuid", `${uuid}\n`);
  }

  /** What the host hands over; the values are written as they are, bytes and all. */
  give(credentials: Record<string, string>): void {
    for (const [name, value] of Object.entries(credentials)) this.write(`run/credentials/@system/vms.${name}`, value);
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  list(path: string): string[] {
    return readdirSync(join(this.root, path)).sort();
  }

  /** As `0600`. */
  mode(path: string): string {
    return (statSync(join(this.root, path)).mode & 0o7777).toString(8).padStart(4, "0");
  }

  open(): void {
    chmodSync(this.root, 0o755);
  }

  /** Takes what the host handed over before away. */
  takeBack(...names: string[]): void {
    for (const name of names) rmSync(join(this.root, `run/credentials/@system/vms.${name}`));
  }

  async identity(): Promise<RunResult> {
    return await attempt(["bash", join(guestScripts, "identity.sh"), "boot"], { env: this.#env() });
  }

  /** `identity.sh apply` with these settings, handed over as the host does. */
  async apply(settings: Record<string, string>): Promise<RunResult> {
    const lines = Object.entries(settings).map(
      ([name, value]) => `vms.${name}=${Buffer.from(value).toString("base64")}\n`,
    );
    const options = { env: this.#env(), input: lines.join("") };
    return await attempt(["bash", join(guestScripts, "identity.sh"), "apply"], options);
  }

  /** `init` as process 1 would be started, by the given shell. */
  async init(shell: string, ...args: string[]): Promise<RunResult> {
    return await attempt([shell, join(guestScripts, "init"), ...args], { env: this.#env() });
  }

  #env(): Record<string, string> {
    return {
      VMS_ROOT: this.root,
      FIXTURE_LOG: join(this.root, "fixture"),
      PATH: `${fixtures}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    };
  }
}

/** Runs lines of bash after the given scripts of the install, as a step would run them; `payload` is a copy's folder. */
export async function runGuestBash(
  scripts: readonly string[],
  lines: string,
  options: { payload?: string; env?: Record<string, string>; input?: string } = {},
): Promise<RunResult> {
  const { payload = guestScripts, env = {}, input } = options;
  const sources = scripts.map((script) => `source "${payload}/${script}"`).join("\n");
  const [first = "", ...rest] = sources.split("\n");
  const text = ["set -euo pipefail", "shopt -s inherit_errexit", first, "guard_errors", ...rest, lines].join("\n");
  return await attempt(["bash", "-c", text], {
    env: { PATH: `${fixtures}:${process.env["PATH"] ?? "/usr/bin:/bin"}`, ...env },
    ...(input === undefined ? {} : { input }),
  });
}
