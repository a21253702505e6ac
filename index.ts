/**
 * The sample stack: this host made ready, and an Arch Linux VM on it. `./vms demo` brings it up, `./vms pulumi ...` acts on it,
 * and `./vms pulumi config set vms:memory 4096` changes what it asks for.
 */
import * as pulumi from "@pulumi/pulumi";
import { ArchVm, HostBootstrap } from "pulumi-vms";

const config = new pulumi.Config("vms");

const host = new HostBootstrap("host", { user: config.get("hostUser") });

const vm = new ArchVm(
  "vm",
  {
    name: config.get("name") ?? "vms-demo",
    profile: config.get("profile"),
    memory: config.getNumber("memory"),
    cpus: config.getNumber("cpus"),
    disk: config.get("disk"),
    iso: config.get("iso"),
    mirror: config.get("mirror"),
    network: config.get("network"),
    user: config.get("user"),
    password: config.getSecret("password"),
    authorizedKeys: config.getObject<string[]>("authorizedKeys"),
    acceleration: config.get("acceleration"),
  },
  { dependsOn: host },
);

export const acceleration = host.acceleration;
export const name = vm.name;
export const uuid = vm.uuid;
export const state = vm.state;
export const ipAddress = vm.ipAddress;
export const image = vm.image;
export const diskPath = vm.diskPath;
export const consoleLog = vm.consoleLog;
export const viewer = vm.viewer;
