/**
 * A VM to work in, and clones of it to break: `pulumi config set clones 3` and `pulumi up` make them in the time of a boot, and
 * `pulumi config set clones 0` takes them away again. The VM itself goes on meanwhile.
 */
import * as pulumi from "@pulumi/pulumi";
import { ArchVm, HostBootstrap, VmClone } from "pulumi-vms";

const count = new pulumi.Config().getNumber("clones") ?? 1;

const host = new HostBootstrap("host");
// A slip in the program must not cost the work that is in it.
const work = new ArchVm("work", { profile: "dev", memory: 4096, disk: "40G" }, { dependsOn: host, protect: true });
const clones = Array.from(
  { length: count },
  (_, index) => new VmClone(`try-${index + 1}`, { source: work, memory: 2048 }),
);

export const addresses = clones.map((clone) => pulumi.interpolate`${clone.name} ${clone.ipAddress}`);
