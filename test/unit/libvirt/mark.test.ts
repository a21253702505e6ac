import assert from "node:assert/strict";
import { markXml, type Mark, readMark } from "../../../provider/libvirt/mark.js";
import { parseXml } from "../../../provider/libvirt/xml.js";

const mark: Mark = {
  owner: { id: "stack:0123", label: `the stack "dev" of <home> & 'more'` },
  phase: "creating",
  profile: "minimal",
  image: "abc",
  files: ["/a/b c.qcow2", "/a/<d>&.fd"],
};

const uuid = "00000000-0000-4000-8000-000000000001";

const domain = (metadata: string, of = uuid) =>
  parseXml(`<domain><name>x</name><uuid>${of}</uuid><metadata>${metadata}</metadata></domain>`);

describe("the ownership mark", () => {
  it("reads back as it was written, whatever is in it", () => {
    assert.deepEqual(readMark(domain(markXml(mark, uuid))), mark);
    const more = { ...mark, frozen: "12.5", madeFor: "web" };
    assert.deepEqual(readMark(domain(markXml(more, uuid))), more);
  });

  it("is found beside the metadata of other tools", () => {
    const other = `<libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/x"><vm/></libosinfo:libosinfo>`;
    assert.deepEqual(readMark(domain(`${other}${markXml(mark, uuid)}${other}`)), mark);
  });

  it("is not seen in a domain that is not ours", () => {
    assert.equal(readMark(parseXml("<domain><name>x</name></domain>")), undefined);
    assert.equal(readMark(domain(markXml(mark, uuid).replace("urn:pulumi-vms:vm:1", "urn:somebody:else"))), undefined);
    assert.equal(
      readMark(domain(markXml(mark, uuid).replace('phase="creating"', 'phase="from the future"'))),
      undefined,
    );
    assert.equal(readMark(domain(markXml(mark, uuid).replace(/owner="[^"]*"/, ""))), undefined);
  });

  it("is not that of a domain to which the definition of another one was copied; one that names none is taken as it is", () => {
    const other = uuid.replace(/1$/, "2");
    assert.equal(readMark(domain(markXml(mark, uuid), other)), undefined);
    assert.deepEqual(readMark(domain(markXml(mark, undefined), other)), mark);
  });
});
