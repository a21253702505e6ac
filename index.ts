/**
 * The sample stack: this host made ready, and an Arch Linux VM on it. `./vms demo` brings it up, `./vms pulumi ...` acts on it, and
 * its config says what it asks for: `./vms pulumi config set vms:memory 4096`.
 */
import * as pulumi from "@pulumi/pulumi";
import { ArchVm, HostBootstrap } from "pulumi-vms";

const config = new pulumi.Config("vms");

const host = new HostBootstrap("host", { user: config.get("hostUser") });

// Where libvirt's own network cannot be had, in a container for example, qemu's user mode needs nothing of the host.
export const network =
  config.get("network") ?? host.unavailable.apply((missing) => (missing.includes("network") ? "user" : "default"));

const vm = new ArchVm(
  "vm",
  {
    name: config.get("name") ?? "vms-demo",
    profile: config.get("profile"),
    memory: config.getNumber("memory"),
    cpus: config.getNumber("cpus"),
    disk: config.get("disk"),
    iso: config.get("archIso"),
    mirror: config.get("mirror"),
    network,
    user: config.get("user"),
    password: config.getSecret("password"),
    authorizedKeys: config.getObject<string[]>("authorizedKeys"),
  },
  { dependsOn: host },
);

export const acceleration = host.acceleration;
export const { name, uuid, state, ipAddress, image, diskPath, consoleLog, viewer } = vm;
