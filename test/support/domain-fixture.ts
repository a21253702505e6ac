/** Definitions of domains as users make them (test/fixtures/domains), and the changes that a clone of them gets. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CloneChanges } from "../../provider/libvirt/clone-xml.js";
import { packageFiles } from "../../provider/paths.js";

export const cloneable = ["edited", "terse"] as const;

export function domainFixture(name: string): string {
  return readFileSync(join(packageFiles.root, "test/fixtures/domains", `${name}.xml`), "utf8");
}

const directory = "/var/lib/vms-test";

export const changes: CloneChanges = {
  name: "copy-7",
  uuid: "7c1d9f5e-32a0-4f8e-9a5b-5a7f2f4d6e10",
  disks: new Map([
    [`${directory}/work.qcow2`, `${directory}/clone's "own" & <1>.qcow2`],
    [`${directory}/it's "data" & more.qcow2`, `${directory}/own-2.qcow2`],
  ]),
  nvram: `${directory}/own.fd`,
  consoleLog: `${directory}/copy-7.log`,
  credentials: { "vms.instance": "7c1d9f5e-32a0-4f8e-9a5b-5a7f2f4d6e10", "vms.hostname": "copy-7" },
  mark: {
    owner: { id: "stack:1", label: "the 'stack'" },
    phase: "creating",
    profile: "minimal",
    image: "abc",
    files: [`${directory}/own.fd`],
  },
};
