/** The stand-in Arch, built once and served for the tests of a file, where the demo would serve it: so they share an image. */
import { execa } from "execa";
import { join } from "node:path";
import { servePackages } from "../../cli/stand-in.js";
import { packageFiles } from "../../provider/paths.js";

export interface StandIn {
  readonly directory: string;
  readonly iso: string;
  /** As the guest sees it. */
  readonly mirror: string;
  /** Leaves the port to somebody else until `open` is called. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** What the profiles install. Its ISO is the plain build's, and so are the packages that are in both. */
const groups = "base,desktop,apps,dev";

export async function serveStandIn(): Promise<StandIn> {
  const build = join(packageFiles.root, "test/stand-in/build.sh");
  const { stdout: directory } = await execa("bash", [build, "--groups", groups], { stderr: "inherit" });
  let server = await servePackages(directory);
  return {
    directory,
    iso: join(directory, "archlinux-x86_64.iso"),
    mirror: server.guestUrl,
    close: () => server.close(),
    open: async () => {
      server = await servePackages(directory);
    },
  };
}
