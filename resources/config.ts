import * as pulumi from "@pulumi/pulumi";

/** Settings from Pulumi config, namespace `vms`: they win over the environment. Names are those of provider/settings.ts. */
export function vmsConfig(): Record<string, string> {
  const config = new pulumi.Config("vms");
  const names = ["images", "iso", "filesystems", "pkgCache", "archIso", "memory", "cpus", "disk", "profile"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = config.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
