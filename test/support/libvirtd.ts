/** Stopping the host's libvirtd; domains that run go on. Bootstrap starts it. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { commandOf } from "./processes.js";

/** By hand, as on a host without systemd; whoever runs this on a host with one has its libvirtd restarted by bootstrap. */
export function stopLibvirtd(): void {
  if (existsSync("/run/systemd/system")) {
    execFileSync("systemctl", [
      "stop",
      "libvirtd.service",
      "libvirtd.socket",
      "libvirtd-ro.socket",
      "libvirtd-admin.socket",
    ]);
    return;
  }
  const [pid] = execFileSync("pidof", ["libvirtd"], { encoding: "utf8" }).trim().split(" ");
  end(Number(pid));
}

/** By hand, and without a message bus, as on a host where nobody has started one yet. Not for a host with systemd, which needs its bus. */
export function startLibvirtdAlone(): void {
  stopLibvirtd();
  end(Number(readFileSync("/run/dbus/pid", "utf8")));
  execFileSync("libvirtd", ["-d"]);
}

function end(pid: number): void {
  process.kill(pid, "SIGTERM");
  while (commandOf(pid) !== "") execFileSync("sleep", ["0.1"]);
}
