import assert from "node:assert/strict";
import { readTimes, showTimes } from "../../../cli/demo-times.js";

const host = "urn:pulumi:dev::pulumi-vms::pulumi-nodejs:dynamic/vms:HostBootstrap::host";
const vm = "urn:pulumi:dev::pulumi-vms::pulumi-nodejs:dynamic/vms:ArchVm::vm";
const provider = "urn:pulumi:dev::pulumi-vms::pulumi:providers:pulumi-nodejs::default";
const stack = "urn:pulumi:dev::pulumi-vms::pulumi:pulumi:Stack::pulumi-vms-dev";

const log = (...events: object[]): string => events.map((event) => `${JSON.stringify(event)}\n`).join("");
const pre = (timestamp: number, urn: string, op = "create"): object => ({
  timestamp,
  resourcePreEvent: { metadata: { urn, op } },
});
const outputs = (timestamp: number, urn: string): object => ({ timestamp, resOutputsEvent: { metadata: { urn } } });
const told = (timestamp: number, urn: string, message: string, severity = "info"): object => ({
  timestamp,
  diagnosticEvent: { urn, message, severity },
});

describe("the times of a demo", () => {
  it("are those of each resource that was made, with its phases where it told any", () => {
    const parts = readTimes(
      log(
        pre(100, stack),
        pre(100, provider),
        outputs(101, provider),
        pre(101, host),
        outputs(113, host),
        pre(113, vm),
        told(114, vm, "<{%reset%}>checking the ISO<{%reset%}>\n"),
        told(116, vm, "<{%reset%}>checking the ISO: checking the ISO, 5%<{%reset%}>\n"),
        told(120, vm, "installing the packages"),
        told(121, vm, "installing the packages: 1 of 187"),
        told(180, vm, "Registering resource", "debug"),
        told(220, vm, "starting"),
        outputs(240, vm),
        outputs(240, stack),
      ),
    );
    assert.deepEqual(parts, [
      { text: "host", seconds: 12 },
      { text: "vm", seconds: 127 },
      { text: "  checking the ISO", seconds: 6 },
      { text: "  installing the packages", seconds: 100 },
      { text: "  starting", seconds: 20 },
    ]);
  });

  it("leave out what did not change, and phases that took no time", () => {
    const parts = readTimes(
      log(
        pre(1, host, "same"),
        outputs(2, host),
        pre(2, vm, "update"),
        told(2, vm, "looking"),
        told(2, vm, "changing"),
        outputs(5, vm),
      ),
    );
    assert.deepEqual(parts, [
      { text: "vm", seconds: 3 },
      { text: "  changing", seconds: 3 },
    ]);
  });

  it("stand under one another", () => {
    assert.deepEqual(
      showTimes([
        { text: "vm", seconds: 61 },
        { text: "  starting", seconds: 2 },
      ]),
      ["  vm          1 min 1 s", "    starting  2 s"],
    );
  });
});
