/**
 * The story of a VM of a profile: what it shows on its screen, after a reboot too. The pictures are left in VMS_SCREENSHOTS, or in
 * .vms/screenshots of the checkout, for a person to look at.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PNG } from "pngjs";
import { run } from "../../provider/host/command.js";
import { packageFiles } from "../../provider/paths.js";
import { colours, screenshot, share, type Window, windows } from "./desktop.js";
import { inGuest } from "./guest.js";
import { reboot } from "./reboot.js";
import { eventually, minute, openScene, type Scene, vmProgram } from "./scene.js";
import { virsh } from "./store.js";
import { tellInOrder } from "./story.js";
import { openViewer, type Viewer } from "./viewer.js";

const pictures = resolve(process.env["VMS_SCREENSHOTS"] ?? join(packageFiles.root, ".vms/screenshots"));
/** A machine that is emulated on a busy host takes its time. */
const patience = 15 * minute;

interface Expected {
  readonly profile: string;
  readonly madeBy: "vms create" | "pulumi up";
  readonly shows: string;
  readonly desktop: boolean;
  /** TypeScript source of further properties, where pulumi makes it. */
  readonly more?: string;
  /** The window of its program, and the processes that it is. */
  readonly program?: { readonly class: RegExp; readonly title: RegExp; readonly processes: string };
  /** What else can be asked inside of it, and is true. */
  readonly facts?: Readonly<Record<string, string>>;
}

const asUser = "runuser -u user -- env XDG_RUNTIME_DIR=/run/user/$(id -u user) DISPLAY=:0";

export const profiles: readonly Expected[] = [
  { profile: "minimal", madeBy: "vms create", shows: "a console and no desktop", desktop: false },
  {
    profile: "gui",
    madeBy: "vms create",
    shows: "i3 with its bar and no program",
    desktop: true,
    facts: {
      "fonts for Latin, Japanese and emoji": ["61", "65e5", "1f600"]
        .map((point) => `fc-list ':charset=${point}' family | grep .`)
        .join(" && "),
      "SPICE's agent, in the session and below it":
        "pgrep -u user -x spice-vdagent && systemctl is-active spice-vdagentd",
      "a way out for sound": `${asUser} pw-cli ls Node | grep alsa_output`,
    },
  },
  {
    profile: "browser",
    madeBy: "pulumi up",
    shows: "chromium, and none of its first pages",
    desktop: true,
    program: { class: /^chromium/i, title: /^New Tab - Chromium$/, processes: "chromium" },
  },
  {
    profile: "telegram",
    madeBy: "vms create",
    shows: "Telegram",
    desktop: true,
    program: { class: /^telegram/i, title: /^Telegram/, processes: "telegram-deskto|Telegram" },
  },
  {
    profile: "dev",
    madeBy: "pulumi up",
    shows: "a terminal",
    desktop: true,
    more: `keymap: "de-latin1"`,
    program: { class: /^xterm$/i, title: /./, processes: "xterm" },
    facts: {
      "the keyboard that the console has": `${asUser} setxkbmap -query | grep 'layout: *de'`,
      "git, an editor and what builds packages": "git --version && nvim --version && gcc --version && make --version",
    },
  },
];

/** Tests, each of which goes on where the one before it ended. */
export function tellStory(one: Expected): void {
  describe(`${one.profile}, made by ${one.madeBy}`, function () {
    this.timeout(60 * minute);
    tellInOrder();
    const name = `${one.profile}-${process.pid}`;
    let scene: Scene;
    let uuid = "";

    before(async () => {
      scene = await openScene();
      await scene.prepareHost();
      mkdirSync(pictures, { recursive: true });
    });
    after(() => {
      // The next one needs the processor; the scene removes it.
      if (uuid !== "") virsh("destroy", uuid);
    });

    it("is there", async () => {
      await (one.madeBy === "vms create" ? create : up)(scene, name, one);
      uuid = virsh("domuuid", name);
    });

    it(`shows ${one.shows}`, async () => {
      await eventually(() => isShown(uuid, one), patience);
    });

    for (const [what, command] of Object.entries(one.facts ?? {}))
      it(`has ${what}`, async () => {
        await eventually(() => holds(uuid, command), patience);
      });

    if (one.program !== undefined)
      it("goes on when its program is killed", async () => {
        const session = await inGuest(uuid, "pgrep -u user -x i3");
        await inGuest(uuid, `pkill -KILL -u user '${one.program?.processes}'`);
        await eventually(async () => (await programWindows(uuid, one)).length === 0, patience);
        assert.equal(await inGuest(uuid, "pgrep -u user -x i3"), session);
      });

    it("shows it again after a reboot, with no service that failed", async () => {
      await reboot(uuid, patience);
      await eventually(() => isShown(uuid, one), patience);
      const [window] = await programWindows(uuid, one);
      const file = join(pictures, `${one.profile}.png`);
      // A window is there before there is something in it.
      const enough = one.desktop ? 16 : 2;
      await eventually(() => colours(screenshot(uuid, file), window?.area) >= enough, patience);
      assert.equal(await inGuest(uuid, "systemctl --failed --no-legend --plain"), "");
    });

    if (one.profile === "gui") describe("through vms viewer", () => throughViewer(() => uuid));
  });
}

/** What a person does who has the display before him. */
function throughViewer(vm: () => string): void {
  let viewer: Viewer;
  let close = async (): Promise<void> => {};
  before(async () => {
    viewer = await openViewer(virsh("domname", vm()));
    close = () => viewer.close();
  });
  after(() => close());

  it("is as large as the viewer's window", async () => {
    await viewer.resize(1200, 800);
    const widest = `${asUser} xrandr | sed -n 's/^Virtual-1 connected primary \\([0-9]*\\)x.*/\\1/p'`;
    await eventually(async () => {
      const width = Number(await inGuest(vm(), widest));
      return width > 1100 && width <= 1200;
    }, patience);
  });

  it("takes what is typed, and shows it", async () => {
    await viewer.click();
    await viewer.key("super+Return");
    await eventually(async () => (await windows(vm())).some((window) => window.class === "XTerm"), patience);
    await viewer.type("echo typed >/tmp/typed; date");
    await viewer.key("Return");
    await eventually(async () => (await inGuest(vm(), "cat /tmp/typed || true")) === "typed", patience);
    // The terminal's own colour, over most of the display.
    await eventually(() => share(viewer.picture(), 0x1d1f21) > 0.3, patience);
    writeFileSync(join(pictures, "viewer.png"), PNG.sync.write(viewer.picture(), { colorType: 2 }));
  });

  it("shares a clipboard with the host, both ways", async () => {
    const xclip = `${asUser} xclip -selection clipboard`;
    await inGuest(vm(), "pacman -S --noconfirm --needed xclip");
    await viewer.copy("from the host");
    await viewer.click();
    await eventually(async () => (await inGuest(vm(), `timeout 5 ${xclip} -o || true`)) === "from the host", patience);
    await inGuest(vm(), `printf 'from the guest' | ${xclip} -i >/dev/null 2>&1`);
    await eventually(async () => (await viewer.paste()) === "from the guest", patience);
  });
}

async function create({ standIn, environment }: Scene, name: string, { profile }: Expected): Promise<void> {
  const where = ["--iso", standIn.iso, "--mirror", standIn.mirror, "--network", "user"];
  const command = [join(packageFiles.root, "dist/cli/main.js"), "create", name, "--profile", profile, ...where];
  await run([process.execPath, ...command], { env: environment, timeout: 0 });
}

async function up(scene: Scene, name: string, { profile, more = "" }: Expected): Promise<void> {
  const stack = await scene.stack(`profile-${profile}`);
  const what = `name: ${JSON.stringify(name)}, profile: ${JSON.stringify(profile)}, ${more}`;
  stack.write(vmProgram(scene, profile, what));
  const { status, output } = await stack.up();
  assert.equal(status, 0, output);
}

async function holds(uuid: string, command: string): Promise<boolean> {
  return (await inGuest(uuid, `if { ${command}; } >/dev/null 2>&1; then echo yes; fi`)) === "yes";
}

async function isShown(uuid: string, one: Expected): Promise<boolean> {
  if (!one.desktop) return (await inGuest(uuid, "systemctl is-active getty@tty1; pgrep -x Xorg || true")) === "active";
  const all = await windows(uuid);
  const programs = all.filter((window) => !isBar(window));
  if (!all.some(isBar)) return false;
  return one.program === undefined
    ? programs.length === 0
    : programs.length === 1 && matching(programs, one).length === 1;
}

async function programWindows(uuid: string, one: Expected): Promise<Window[]> {
  return matching(await windows(uuid), one);
}

const isBar = (window: Window) => window.class === "i3bar";

function matching(all: readonly Window[], { program }: Expected): Window[] {
  return all.filter((window) => program?.class.test(window.class) === true && program.title.test(window.title));
}
