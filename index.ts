/**
 * The sample stack: this host made ready, and an Arch Linux VM on it. `./vms demo` brings it up and `./vms pulumi ...` acts on
 * it. What it asks for is in its config, for example `./vms pulumi config set vms:memory 4096`; the memory, cpus, disk, profile
 * and archIso that are set there hold for every VM of a stack, the rest is read here.
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
