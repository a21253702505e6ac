/** A VM to browse with and one to talk with: each opens with its program, and what happens in one does not reach the other. */
import { ArchVm, HostBootstrap } from "pulumi-vms";

const host = new HostBootstrap("host");

const browser = new ArchVm("browser", { profile: "browser", memory: 4096 }, { dependsOn: host });
const messenger = new ArchVm("messenger", { profile: "telegram", disk: "10G" }, { dependsOn: host });

// What `vms viewer browser` opens.
export const viewers = { browser: browser.viewer, messenger: messenger.viewer };
