import assert from "node:assert/strict";
import { attribute, elements, find, parseXml, textOf, type XmlNode } from "../../../provider/libvirt/xml.js";
import { XmlEdit } from "../../../provider/libvirt/xml-edit.js";
import { domainFixture } from "../../support/domain-fixture.js";

function edited(xml: string, work: (edit: XmlEdit, root: XmlNode) => void, root = "a"): string {
  const edit = new XmlEdit(xml);
  const node = find(edit.document, root);
  assert.ok(node);
  work(edit, node);
  return edit.toString();
}

describe("an edit of XML", () => {
  for (const name of ["edited", "terse", "refused"]) {
    const xml = domainFixture(name);

    it(`changes nothing in ${name}.xml where nothing is edited`, () => {
      assert.equal(new XmlEdit(xml).toString(), xml);
    });

    it(`changes in ${name}.xml only what is edited, whichever element it is`, () => {
      const before = allElements(parseXml(xml));
      assert.ok(before.length > 15);
      for (const index of before.keys()) {
        const edit = new XmlEdit(xml);
        const node = allElements(edit.document)[index];
        assert.ok(node);
        edit.setAttribute(node, "vms-test", `<'"&>`);
        const changed = edit.toString();
        assert.equal(changed.replace(" vms-test='&#60;&#39;&#34;&#38;&#62;'", ""), xml);
        assert.equal(attribute(allElements(parseXml(changed))[index], "vms-test"), `<'"&>`);
        const back = new XmlEdit(changed);
        const again = allElements(back.document)[index];
        assert.ok(again);
        back.setAttribute(again, "vms-test", undefined);
        assert.equal(back.toString(), xml);
      }
    });
  }

  it("keeps quotes, instructions, line ends, CDATA and the spaces within a tag", () => {
    const xml = `<?xml version="1.0"?>\r\n<?go on ?><!DOCTYPE a>\r\n<a  x = '1>2'\r\n y="&#x41;"\t><b></b><b/><![CDATA[</a>]]>\r\n<!-- <b> --></a >\r\n`;
    assert.equal(
      edited(xml, (edit, root) => {
        edit.setAttribute(root, "y", "&");
      }),
      xml.replace("&#x41;", "&#38;"),
    );
    assert.equal(
      edited(xml, (edit, root) => {
        edit.setText(elements(root, "b")[1] as XmlNode, "<");
      }),
      xml.replace("<b/>", "<b>&#60;</b>"),
    );
  });

  it("is not led astray by a comment, a CDATA section or an attribute that looks like the element", () => {
    const xml = `<a><!-- <b x='1'/> --><![CDATA[<b x='1'/>]]><c x="<b x='1'/>" b=" x='1'"/><b x='1'/></a>`;
    const changed = edited(xml, (edit, root) => {
      edit.setAttribute(elements(root, "b")[0] as XmlNode, "x", "2");
      edit.setAttribute(elements(root, "c")[0] as XmlNode, "x", "3");
    });
    assert.equal(changed, `<a><!-- <b x='1'/> --><![CDATA[<b x='1'/>]]><c x="3" b=" x='1'"/><b x='2'/></a>`);
  });

  it("reads back what it wrote, whatever is in it", () => {
    const value = `it's "a" <b> & &amp; c\td`;
    const changed = edited("<a><b/></a>", (edit, root) => {
      const node = elements(root, "b")[0] as XmlNode;
      edit.setAttribute(node, "x", value);
      edit.setText(node, value);
    });
    const node = find(parseXml(changed), "a", "b");
    assert.equal(attribute(node, "x"), value);
    assert.equal(textOf(node), value);
  });

  it("takes an element out with its line, or alone where others stand on the line", () => {
    const without = (xml: string) =>
      edited(xml, (edit, root) => {
        for (const node of elements(root, "b")) edit.remove(node);
      });
    assert.equal(without("<a>\n  <b>\n    x\n  </b>\n  <c/>\n</a>"), "<a>\n  <c/>\n</a>");
    assert.equal(without("<a>\n  <b/>\n  <b/>\n</a>"), "<a>\n</a>");
    assert.equal(without("<a> x <b/> y </a>"), "<a> x  y </a>");
    assert.equal(without("<a><b/><b/></a>"), "<a></a>");
  });

  it("adds elements at the end of one, indented as the others, also where it was empty", () => {
    const added = (xml: string) =>
      edited(xml, (edit, root) => {
        edit.append(root, "<x/>", "<y/>");
      });
    assert.equal(added("<a>\n  <b/>\n</a>"), "<a>\n  <b/>\n  <x/>\n  <y/>\n</a>");
    assert.equal(added("<a/>"), "<a>\n  <x/>\n  <y/>\n</a>");
    assert.equal(added("<a></a>"), "<a>\n  <x/>\n  <y/>\n</a>");
    assert.equal(added("<a><b/></a>"), "<a><b/>\n  <x/>\n  <y/>\n</a>");
    assert.equal(added("<a>\n</a>"), "<a>\n  <x/>\n  <y/>\n</a>");
  });

  it("refuses two changes of one place rather than write half of each", () => {
    const twice = () =>
      edited("<a><b x='1'/></a>", (edit, root) => {
        const node = elements(root, "b")[0] as XmlNode;
        edit.remove(node);
        edit.setAttribute(node, "x", "2");
      });
    assert.throws(twice, /overlap/);
  });
});

function allElements(nodes: readonly XmlNode[]): XmlNode[] {
  return nodes.flatMap((node) =>
    Object.entries(node).flatMap(([name, content]) =>
      /^[#?:]/.test(name) || !Array.isArray(content) ? [] : [node, ...allElements(content)],
    ),
  );
}
