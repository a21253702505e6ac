import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstUuid, GuestTree, secondUuid } from "./guest-tree.js";

const shells = ["/bin/bash", "/bin/dash", "/bin/sh"].filter((shell) => existsSync(shell));

describe("guest/init", () => {
  let tree: GuestTree;

  beforeEach(() => {
    tree = new GuestTree(mkdtempSync(join(tmpdir(), "vms-guest-")));
    tree.write("usr/lib/systemd/systemd", '#!/bin/sh\nprintf "systemd got: %s\\n" "$*"\n');
    chmodSync(join(tree.root, "usr/lib/systemd/systemd"), 0o755);
    tree.write("var/lib/vms/instance", `${firstUuid}\n`);
    tree.write("var/lib/systemd/random-seed", "seed");
  });

  afterEach(() => {
    rmSync(tree.root, { recursive: true, force: true });
  });

  for (const shell of shells) {
    describe(`as ${shell} runs it`, () => {
      const start = async (): Promise<void> => {
        const { status, stdout, stderr } = await tree.init(shell, "--deserialize", "splash $(quiet)");
        assert.equal(stdout, "systemd got: --deserialize splash $(quiet)");
        assert.equal(stderr, "");
        assert.equal(status, 0);
      };

      it("leaves the machine-id where the disk is at home", async () => {
        await start();
        assert.equal(tree.read("etc/machine-id"), "11111111111111111111111111111111\n");
        assert.ok(tree.has("var/lib/systemd/random-seed"));
      });

      it("empties it in another machine, with what else must not be shared", async () => {
        tree.wakeUpIn(secondUuid);
        tree.write("var/lib/dbus/machine-id", "11111111111111111111111111111111\n");
        await start();
        assert.equal(tree.read("etc/machine-id"), "");
        assert.ok(!tree.has("var/lib/dbus/machine-id"));
        assert.ok(!tree.has("var/lib/systemd/random-seed"));
      });

      it("empties it where no machine was recorded, and leaves a link of D-Bus alone", async () => {
        rmSync(join(tree.root, "var/lib/vms"), { recursive: true });
        mkdirSync(join(tree.root, "var/lib/dbus"));
        symlinkSync("../../../etc/machine-id", join(tree.root, "var/lib/dbus/machine-id"));
        await start();
        assert.equal(tree.read("etc/machine-id"), "");
        assert.ok(tree.has("var/lib/dbus/machine-id"));
      });

      it("does not make a machine-id that is missing, which would mean something else", async () => {
        tree.wakeUpIn(secondUuid);
        rmSync(join(tree.root, "etc/machine-id"));
        await start();
        assert.ok(!tree.has("etc/machine-id"));
      });

      it("starts systemd when the machine has no UUID", async () => {
        rmSync(join(tree.root, "sys/class/dmi/id/product_uuid"));
        await start();
        assert.equal(tree.read("etc/machine-id"), "11111111111111111111111111111111\n");
      });

      it("starts systemd when the machine-id cannot be written", async () => {
        tree.wakeUpIn(secondUuid);
        rmSync(join(tree.root, "etc/machine-id"));
        mkdirSync(join(tree.root, "etc/machine-id"));
        await start();
      });

      it("starts /sbin/init where there is no systemd", async () => {
        rmSync(join(tree.root, "usr/lib/systemd/systemd"));
        tree.write("sbin/init", '#!/bin/sh\nprintf "init got: %s\\n" "$*"\n');
        chmodSync(join(tree.root, "sbin/init"), 0o755);
        assert.equal((await tree.init(shell, "3")).stdout, "init got: 3");
      });
    });
  }
});
