/** A web server that shows a directory of this host. What is installed in it is in web.sh, beside this program. */
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ArchVm, HostBootstrap } from "pulumi-vms";

const config = new pulumi.Config();

const host = new HostBootstrap("host");
const web = new ArchVm(
  "web",
  {
    profile: "./web.sh",
    memory: 1024,
    cpus: 1,
    authorizedKeys: config.getObject<string[]>("authorizedKeys"),
    shares: [{ source: resolve("site"), target: "/srv/http", readOnly: true }],
    autostart: true,
  },
  { dependsOn: host },
);

export const url = pulumi.interpolate`http://${web.ipAddress}/`;
