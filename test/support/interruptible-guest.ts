/** Operations that are to be interrupted and that need a guest: an image is installed from the stand-in for Arch, and VMs boot. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { archVm } from "../../provider/arch-vm.js";
import type { Context } from "../../provider/context.js";
import { storePaths } from "../../provider/paths.js";
import type { Settings } from "../../provider/settings.js";
import { ensureImage } from "../../provider/vm/image.js";
import { describeSharedFiles } from "../../provider/vm/shared-files.js";
import type { VmSpec } from "../../provider/vm/spec.js";
import { converge } from "../../provider/vm-operations.js";
import {
  clone,
  create,
  type Interruptible,
  makeSubject,
  type Subject,
  stepsOf,
  verifyVm,
  withClone,
} from "./interruptible.js";
import { inGuest } from "./guest.js";
import { inputsOf, smallSpec } from "./small-vm.js";
import { connection } from "./store.js";
import { assertWhole } from "./whole-store.js";

export const withGuest: readonly Interruptible[] = [
  {
    title: "create, with a boot for its passwords",
    steps: [...stepsOf("start"), "create: passwords set", ...stepsOf("stop")],
    prepare: async (settings, name, context) => {
      const passwords = { password: hash("pa'ss"), rootPassword: hash("r00t") };
      return { ...(await installed(settings, name, context)), spec: guestSpec(settings, name, passwords) };
    },
    run: create,
    verify: verifyVm,
  },
  {
    title: "change, with a start",
    steps: stepsOf("start"),
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(guestSpec(settings, name), context);
      return { ...subject, spec: guestSpec(settings, name, { running: true }) };
    },
    run: change,
    verify: verifyVm,
  },
  {
    title: "change, with a stop",
    steps: stepsOf("stop"),
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(guestSpec(settings, name, { running: true }), context);
      return { ...subject, spec: guestSpec(settings, name) };
    },
    run: change,
    verify: verifyVm,
  },
  {
    title: "clone, with a start",
    steps: ["clone: marked ready", ...stepsOf("start")],
    prepare: (settings, name, context) => makeSubject(guestSpec(settings, name), context),
    run: (subject, context) => clone(subject, context, { running: true }),
    verify: async ({ spec }, { settings }) => {
      const names = withClone(spec.name);
      await assertWhole(settings, names);
      assert.equal(await inGuest(names[1] ?? "", "uname -n"), names[1]);
    },
  },
  {
    title: "change of a guest that runs",
    steps: ["change: passwords set", "change: packages added"],
    prepare: async (settings, name, context) => {
      const subject = await makeSubject(guestSpec(settings, name, { running: true }), context);
      const changes = { running: true, rootPassword: hash("r00t"), packages: ["nano"] };
      return { ...subject, spec: guestSpec(settings, name, changes) };
    },
    run: change,
    verify: async (subject, context) => {
      await verifyVm(subject, context);
      const inside = await inGuest(subject.id, "pacman -Q nano && getent shadow root | cut -d: -f2");
      assert.ok(inside.startsWith("nano ") && inside.includes(subject.spec.rootPassword ?? "none"), inside);
    },
  },
  {
    title: "create, with an install",
    steps: stepsOf("install"),
    // What comes a second time comes in the boot from the disk, which the next operation has every time.
    inARow: "first time",
    prepare: (settings, name) => {
      const { images } = storePaths(settings);
      for (const file of readdirSync(images)) rmSync(join(images, file));
      return Promise.resolve({ spec: guestSpec(settings, name), id: "", state: {} });
    },
    run: create,
    verify: verifyVm,
  },
  {
    title: "create, with an image built on another one",
    steps: stepsOf("install"),
    inARow: "every time",
    prepare: async (settings, name, context) => {
      const profile = join(settings.images, "mine.sh");
      writeFileSync(profile, "#!/bin/bash\n# vms-base: minimal\ntouch /etc/mine\n");
      const base = await ensureImage(guestSpec(settings, name), context);
      const { images } = storePaths(settings);
      const kept = [basename(base.path), `${base.key}.json`];
      for (const file of readdirSync(images)) if (!kept.includes(file)) rmSync(join(images, file));
      return { spec: guestSpec(settings, name, { profile }), id: "", state: {} };
    },
    run: create,
    verify: async (subject, context) => {
      await verifyVm(subject, context);
      const images = (await describeSharedFiles(connection, context)).filter(({ kind }) => kind === "image");
      const [base, top] = [...images].sort((a, b) => b.above.length - a.above.length);
      assert.deepEqual([images.length, base?.above, top?.backing], [2, [top?.path], base?.path]);
    },
  },
];

async function change({ id, state, spec }: Subject, context: Context): Promise<void> {
  await converge(archVm, id, state, inputsOf(spec), context);
}

/** A VM's subject whose image is there already. */
async function installed(settings: Settings, name: string, context: Context): Promise<Subject> {
  const spec = guestSpec(settings, name);
  await ensureImage(spec, context);
  return { spec, id: "", state: {} };
}

/** The stand-in's ISO and mirror come from the environment of the test, which its children share. */
function guestSpec(settings: Settings, name: string, changes: Partial<VmSpec> = {}): VmSpec {
  const [iso, mirror] = [process.env["VMS_TEST_ISO"] ?? "", process.env["VMS_TEST_MIRROR"] ?? ""];
  return smallSpec(settings, name, {
    iso,
    mirror,
    memory: 1024,
    cpus: 2,
    disk: "8G",
    acceleration: "auto",
    ...changes,
  });
}

const hash = (password: string): string =>
  execFileSync("openssl", ["passwd", "-6", password], { encoding: "utf8" }).trim();
