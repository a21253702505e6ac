/** Stopping the host's libvirtd; domains that run go on. Bootstrap starts it. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

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
  process.kill(Number(pid), "SIGTERM");
  while (execFileSync("sh", ["-c", "pidof libvirtd || true"], { encoding: "utf8" }).trim() !== "")
    execFileSync("sleep", ["0.1"]);
}
