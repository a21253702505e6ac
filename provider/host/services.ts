/** The libvirt service: by systemd, as the host has it, or started directly where no systemd runs. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { detachedService } from "./detached-service.js";
import { systemdService } from "./systemd-service.js";
import type { Requirement } from "./requirement.js";

export const service: Requirement = {
  id: "service",
  description: "the libvirt service",
  fatal: true,
  right: "root",
  settle: 30,
  probe: async (host) => {
    // What sd_booted(3) looks at: systemd may be installed and yet not be what runs.
    const booted = await stat(join(host.root, "/run/systemd/system")).then(
      (found) => found.isDirectory(),
      () => false,
    );
    return booted ? systemdService() : detachedService(host);
  },
};
