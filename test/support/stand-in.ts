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

/** Takes the one that test/run.sh built for the tests that are run, where it did. */
export async function serveStandIn(): Promise<StandIn> {
  const directory = process.env["VMS_TEST_STAND_IN"] ?? (await build());
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

async function build(): Promise<string> {
  const script = join(packageFiles.root, "test/stand-in/build.sh");
  return (await execa("bash", [script], { stderr: "inherit" })).stdout;
}
