/** The stand-in Arch, built once and served for the tests of a file. */
import { execa } from "execa";
import { join } from "node:path";
import { packageFiles } from "../../provider/paths.js";
import { serveMirror } from "../stand-in/mirror.js";

export interface StandIn {
  readonly directory: string;
  readonly iso: string;
  /** As the guest sees it. */
  readonly mirror: string;
  close(): Promise<void>;
}

export async function serveStandIn(): Promise<StandIn> {
  const build = join(packageFiles.root, "test/stand-in/build.sh");
  const { stdout: directory } = await execa("bash", [build], { stderr: "inherit" });
  const server = await serveMirror(join(directory, "repo"));
  return {
    directory,
    iso: join(directory, "archlinux-x86_64.iso"),
    mirror: server.guestUrl,
    close: () => server.close(),
  };
}
