import assert from "node:assert/strict";
import { VmsError } from "../../../provider/errors.js";
import { dumpAll, dumpListed } from "../../../provider/libvirt/dump.js";
import { FakeHost } from "../host/fake-host.js";

const [here, going, broken] = ["1", "2", "3"].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
const connection = "qemu:///system";

/** Domains of which the second is listed once only, and the third cannot be read. */
const virsh = `case "\${*:4}" in
  "list --all --uuid") printf '%s\\n' $LISTED ;;
  "list --all --uuid --name") printf '%s named\\n' ${here} ${broken} ;;
  *";"*) for one in $LISTED; do [[ $one != ${here} ]] || echo "<domain/>"; echo "=pulumi-vms="; done ;;
  *${here}) echo "<domain/>" ;;
  *${broken}) echo "error: internal error" >&2; exit 1 ;;
  *) echo "error: failed to get domain" >&2; exit 1 ;;
esac`;

describe("the definitions of all domains", () => {
  let fake: FakeHost;
  const list = (...uuids: (string | undefined)[]) =>
    (fake = new FakeHost().script("virsh", `LISTED='${uuids.join(" ")}'\n${virsh}`));
  afterEach(() => fake.remove());

  for (const [domains, processes] of [
    [3, 2],
    [901, 3],
  ] as const) {
    it(`are read by ${processes} processes where there are ${domains}`, async () => {
      list(...Array.from({ length: domains }, () => here));
      const texts = await dumpAll(connection, ["--inactive"]);
      assert.deepEqual(
        texts,
        Array.from({ length: domains }, () => "<domain/>"),
      );
      assert.equal(fake.calls().length, processes);
    });
  }

  it("lack the one that has gone meanwhile", async () => {
    list(here, going);
    assert.deepEqual(await dumpAll(connection, []), ["<domain/>"]);
  });

  it("are not given at all where one that is there cannot be read", async () => {
    list(here, broken);
    await assert.rejects(dumpAll(connection, []), (error) => error instanceof VmsError && error.code === "command");
  });

  it("have the one that went and came back between two looks", async () => {
    list(here);
    fake.script(
      "virsh",
      `case "\${*:4}" in
        "list --all --uuid") echo ${here} ;;
        list*) echo '${here} named'; : >"$FAKE_HOST/back" ;;
        *";"*) echo "=pulumi-vms=" ;;
        *) [[ -e $FAKE_HOST/back ]] && echo "<domain/>" && exit; echo "error: failed to get domain" >&2; exit 1 ;;
      esac`,
    );
    assert.deepEqual(await dumpAll(connection, []), ["<domain/>"]);
  });

  it("are not gone where virsh says so of one that is listed still", async () => {
    list(here);
    fake.script(
      "virsh",
      `[[ $* == *dumpxml* ]] || { printf '%s named\\n' ${here}; exit; }; echo "error: failed to get domain" >&2; exit 1`,
    );
    await assert.rejects(
      dumpListed(connection, here ?? "", []),
      (error) => error instanceof VmsError && error.code === "gone",
    );
  });
});
