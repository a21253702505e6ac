import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archVm, diff } from "../../provider/arch-vm.js";
import { converge, makeWhole } from "../../provider/vm-operations.js";
import { setAcceleration } from "../../provider/libvirt/domain-edit.js";
import { defineDomain, findDomain } from "../../provider/libvirt/domain.js";
import { readCredentials } from "../../provider/libvirt/credentials.js";
import { shareTag } from "../../provider/libvirt/shares-edit.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { removeVm } from "../../provider/vm/remove.js";
import { changedLines } from "../support/changed-lines.js";
import { recording } from "../support/recorded.js";
import { inputsOf, makeSmallStore, smallOwner, smallSpec } from "../support/small-vm.js";
import { type TestStore, connection, virsh } from "../support/store.js";

const network = `vms-test-${process.pid}`;
let counter = 0;

describe("a change of a VM (real libvirtd)", () => {
  let store: TestStore;
  let vm: { spec: VmSpec; id: string; state: Record<string, unknown> };
  let notices: string[];

  before(async () => {
    store = await makeSmallStore();
    const file = join(store.settings.images, "network.xml");
    writeFileSync(
      file,
      `<network><name>${network}</name><bridge name='vt${process.pid}'/><ip address='192.168.241.1' netmask='255.255.255.0'/></network>`,
    );
    virsh("net-create", file);
  });
  after(async () => {
    virsh("net-destroy", network);
    await store.remove();
  });

  async function make(changes: Partial<VmSpec> = {}): Promise<void> {
    const spec = smallSpec(store.settings, `vms-test-change-${process.pid}-${counter++}`, changes);
    const { id, outs } = await makeWhole(archVm, inputsOf(spec), smallOwner, store.context);
    // It is not told to run or not, so it is left as it is.
    vm = { spec, id, state: { ...outs, running: undefined } };
    notices = [];
    // libvirt sorts devices that it added itself when it sees them for a second time.
    await defineDomain(connection, definition());
  }
  afterEach(async () => {
    await removeVm(connection, vm.id, smallOwner, store.context, { shutdown: 0 });
  });

  const news = (changes: Partial<VmSpec>) => ({ ...inputsOf({ ...vm.spec, ...changes }), running: undefined });

  async function update(changes: Partial<VmSpec>): Promise<void> {
    const context = recording(store.context);
    notices = context.notices;
    await converge(archVm, vm.id, vm.state, news(changes), context);
  }

  const definition = () => virsh("dumpxml", "--inactive", "--security-info", vm.id);
  const live = () => virsh("dumpxml", vm.id);

  /** The lines under the resource in a preview. */
  async function preview(changes: Partial<VmSpec>): Promise<string[]> {
    const { lines } = await told(() => diff(vm.id, vm.state, news(changes)));
    return lines;
  }

  it("of a VM that is off is in its definition, and nothing else is", async () => {
    await make();
    const before = definition();
    await update({ memory: 192, cpus: 2, network });
    const { gone, come } = changedLines(before, definition());
    assert.deepEqual(
      come.map((line) => line.trim()),
      [
        "<memory unit='KiB'>196608</memory>",
        "<currentMemory unit='KiB'>196608</currentMemory>",
        "<vcpu placement='static'>2</vcpu>",
        "<interface type='network'>",
        `<source network='${network}'/>`,
      ],
    );
    assert.equal(gone.length, 4);
    assert.deepEqual(notices, []);
    await update({ memory: 192, cpus: 2, network });
    assert.deepEqual(changedLines(before, definition()).come, come, "a second time it is as it was");
  });

  it("of memory and cpus beyond what a running VM was started with waits for its next boot, and says so", async () => {
    await make();
    virsh("start", vm.id);
    const change = { memory: 192, cpus: 2 };
    for (const line of await preview(change)) assert.match(line, /at the next boot \(a power-off and a start\)$/);
    await update(change);
    assert.match(live(), /<memory unit='KiB'>131072<[^]*<vcpu[^>]*>1</);
    assert.equal(notices.length, 2);
    assert.match(notices.join("\n"), /new memory count from the next boot on[^]*new cpus count from the next boot on/);
    virsh("destroy", vm.id);
    virsh("start", vm.id);
    assert.match(live(), /<memory unit='KiB'>196608<[^]*<vcpu[^>]*>2</);
  });

  it("of cpus and memory reaches a running VM whose definition left room for it, and keeps the room", async () => {
    await make();
    const roomy = definition()
      .replace(/<vcpu[^>]*>1</, "<vcpu current='1'>3<")
      .replace(/<memory unit='KiB'>131072</, "<memory unit='KiB'>524288<");
    await defineDomain(connection, roomy);
    virsh("start", vm.id);
    const change = { memory: 256, cpus: 2 };
    assert.deepEqual(
      (await preview(change)).map((line) => line.replace(/.*: /, "")),
      ["in place, live", "in place, live"],
    );
    await update(change);
    assert.match(live(), /<vcpu[^>]* current='2'>3</);
    assert.deepEqual(notices, []);
    const domain = await findDomain(connection, vm.id);
    assert.deepEqual([domain?.memory, domain?.mostMemory, domain?.cpus, domain?.mostCpus], [256, 512, 2, 3]);
  });

  it("of the network reaches a running VM, whose MAC and other devices stay", async () => {
    await make({ network: "default" });
    virsh("start", vm.id);
    const before = live();
    assert.match((await preview({ network }))[0] ?? "", /network default -> vms-test-\d+: in place, live$/);
    await update({ network });
    const { come } = changedLines(before, live());
    assert.match(
      come.join("\n"),
      new RegExp(`^ *<source network='${network}' portid='[^']*' bridge='vt${process.pid}'/>\n *<link state='up'/>$`),
    );
    assert.ok(definition().includes(`<source network='${network}'/>`));
    assert.equal((await findDomain(connection, vm.id))?.macs[0], vm.state["mac"]);
    assert.deepEqual(notices, []);
  });

  it("of the network to user mode waits for the next boot, and one that is not there changes nothing", async () => {
    await make({ network: "default" });
    virsh("start", vm.id);
    assert.match((await preview({ network: "user" }))[0] ?? "", /at the next boot/);
    await update({ network: "user" });
    assert.match(notices[0] ?? "", /the new network count/);
    assert.match(live(), /<source network='default'/);
    assert.match(definition(), /<interface type='user'>/);
    const before = definition();
    await assert.rejects(
      update({ network: "vms-test-none", memory: 999 }),
      /Cannot change VM .*there is no libvirt network/,
    );
    assert.equal(definition(), before);
  });

  it("of the acceleration is in the definition, with the processor that it means", async function () {
    // Without /dev/kvm libvirt takes no definition that wants it; the edit has unit tests (domain-edit).
    if (!existsSync("/dev/kvm")) this.skip();
    await make();
    await defineDomain(connection, setAcceleration(definition(), "kvm"));
    assert.match(definition(), /<domain type='kvm'>[^]*<cpu mode='host-passthrough'/);
    vm.state["acceleration"] = "kvm";
    assert.match((await preview({}))[0] ?? "", /acceleration kvm -> tcg: in place, at the next boot/);
    await update({});
    assert.match(definition(), /<domain type='qemu'>[^]*<tb-cache [^]*<cpu mode='maximum'/);
    virsh("start", vm.id);
  });

  it("of shares is in the definition and told to the guest, and what is taken out of them is gone from both", async () => {
    await make();
    const source = join(store.settings.images, "it's shared");
    mkdirSync(source);
    const bare = definition();
    const shares = [
      { source, target: "/mnt/a", readOnly: false },
      { source, target: "/mnt/b", readOnly: true },
    ];
    assert.match((await preview({ shares }))[0] ?? "", /shares .*: in place, at the next boot/);
    await update({ shares });
    const shared = definition();
    assert.match(shared, /<memoryBacking>\s*<source type='memfd'\/>\s*<access mode='shared'\/>/);
    assert.equal(shared.split(`<source dir='${source.replace("'", "&apos;")}'/>`).length, 3);
    for (const { target } of shares) assert.ok(shared.includes(`<target dir='${shareTag({ target })}'/>`));
    assert.match(readCredentials(shared)["vms.shares"] ?? "", /^\S+ virtiofs rw \/mnt\/a\n\S+ 9p ro \/mnt\/b\n$/);
    assert.equal(readCredentials(shared)["vms.instance"], vm.id, "what else the guest was told stays");
    virsh("start", vm.id);
    assert.match(live(), /<driver type='virtiofs'/, "libvirt and virtiofsd serve them");
    vm.state["shares"] = shares;
    await update({});
    assert.match(notices[0] ?? "", /the new shares count from the next boot on/);
    assert.equal("vms.shares" in readCredentials(definition()), false);
    // What libvirt plugged them into stays, and the memory that can be shared.
    const kept = /<controller [^]*?<\/controller>|<memoryBacking>[^]*?<\/memoryBacking>/g;
    assert.deepEqual(changedLines(bare.replace(kept, ""), definition().replace(kept, "")).come.join("").trim(), "");
    rmSync(source, { recursive: true });
  });

  it("of shares is refused before anything changes where a directory is not there", async () => {
    await make();
    const before = definition();
    const shares = [{ source: "/vms-test/none", target: "/mnt", readOnly: false }];
    await assert.rejects(
      update({ shares, memory: 256 }),
      /Cannot change VM .*\/vms-test\/none cannot be shared: it does not exist/,
    );
    assert.equal(definition(), before);
    const spec = smallSpec(store.settings, `vms-test-change-${process.pid}-none`, { shares });
    await assert.rejects(
      makeWhole(archVm, inputsOf(spec), smallOwner, store.context),
      /Cannot create VM .*cannot be shared/,
    );
    assert.equal(await findDomain(connection, spec.name), undefined);
  });

  it("of shares is made with a new VM as well, which starts with them", async () => {
    await make({ shares: [{ source: store.settings.images, target: "/mnt", readOnly: false }] });
    assert.match(definition(), /<driver type='virtiofs'\/>/);
    assert.match(readCredentials(definition())["vms.shares"] ?? "", /virtiofs rw \/mnt\n$/);
    virsh("start", vm.id);
  });
});

/** What a diff prints where there is no engine to tell. */
async function told<T>(work: () => Promise<T>): Promise<{ result: T; lines: string[] }> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    return { result: await work(), lines };
  } finally {
    console.log = log;
  }
}
