import assert from "node:assert/strict";
import { liveDomain, takesCpus, takesMemory, takesNetwork } from "../../../provider/libvirt/live.js";

const running = (vcpus: string, nic: string) =>
  `<domain type='qemu' id='7'><name>a</name><uuid>b</uuid><memory unit='MiB'>2048</memory><currentMemory unit='MiB'>1024</currentMemory>${vcpus}<devices><interface type='network'><mac address='52:54:00:00:00:01'/>${nic}</interface></devices></domain>`;
const plugged = `<vcpu current='2'>4</vcpu><vcpus><vcpu id='0' enabled='yes' hotpluggable='no'/><vcpu id='1' enabled='yes' hotpluggable='yes'/><vcpu id='2' enabled='no' hotpluggable='yes'/><vcpu id='3' enabled='no' hotpluggable='yes'/></vcpus>`;

describe("what a domain that runs can take", () => {
  it("is not told of one that is off", () => {
    assert.equal(liveDomain(running("<vcpu>2</vcpu>", "").replace(" id='7'", "")), undefined);
  });

  it("is memory up to what it was started with", () => {
    const live = liveDomain(running("<vcpu>2</vcpu>", ""));
    assert.ok(live);
    assert.deepEqual(
      [512, 2048, 2049].map((memory) => takesMemory(live, memory)),
      [true, true, false],
    );
  });

  it("is processors from those that it was started with to the most it was defined with", () => {
    const verdicts = (vcpus: string) => {
      const live = liveDomain(running(vcpus, ""));
      assert.ok(live);
      return [1, 2, 3, 4, 5].filter((cpus) => takesCpus(live, cpus));
    };
    assert.deepEqual(verdicts(plugged), [1, 2, 3, 4]);
    assert.deepEqual(verdicts("<vcpu>2</vcpu>"), [2]);
    assert.deepEqual(verdicts("<vcpu current='2'>3</vcpu>"), [2, 3]);
  });

  it("is another libvirt network where it is on one", () => {
    const of = (nic: string, network: string) => {
      const live = liveDomain(running("<vcpu>2</vcpu>", nic));
      assert.ok(live);
      return takesNetwork(live, network);
    };
    assert.equal(of("<source network='default' bridge='virbr0'/>", "lab"), true);
    assert.equal(of("<source network='default'/>", "user"), false);
    assert.equal(of("", "lab"), false);
  });
});
