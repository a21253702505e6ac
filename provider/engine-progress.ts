/**
 * Progress inside `pulumi up`: lines on the resource's own row of the live display, through the engine's log service. The engine's
 * address is the provider process's only argument; where there is none (a test, another host program) plain lines are printed.
 */
import { createRequire } from "node:module";
import type { EngineClient as Client } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import { hasLiveDisplay } from "./engine-process.js";
import type { Progress } from "./progress.js";

const require = createRequire(import.meta.url);

interface Engine {
  /** Ephemeral lines show in the live display only and leave nothing behind. */
  log(message: string, urn: string, ephemeral: boolean): Promise<void>;
}

let connected: Engine | undefined;
let display: boolean | undefined;

/** Progress of the resource with this URN. */
export function engineProgress(urn: string): Progress {
  const engine = (connected ??= connect(process.argv[2]));
  const live = (display ??= hasLiveDisplay());
  let phase = "";
  const send = (text: string, ephemeral: boolean): void => {
    // A line that cannot be shown must not fail what it tells about.
    engine.log(text, urn, ephemeral).catch(() => undefined);
  };
  return {
    phase: (text) => {
      phase = text;
      send(text, live);
    },
    detail: (text) => {
      // Without a live display ephemeral lines are dropped by the engine as well; there may be thousands of them.
      if (live) send(phase === "" ? text : `${phase}: ${text}`, true);
    },
    notice: (text) => {
      send(text, false);
    },
  };
}

/** Lines that stay under a resource, in the order given; returns when the engine has taken them. */
export async function tellEngine(urn: string, lines: readonly string[]): Promise<void> {
  const engine = (connected ??= connect(process.argv[2]));
  for (const line of lines) await engine.log(line, urn, false).catch(() => undefined);
}

function connect(address: string | undefined): Engine {
  if (address === undefined || !/^[\w.[\]:-]+:\d+$/.test(address)) return plainEngine;
  // The engine's stubs must be used with the very copy of gRPC that they were made with: Pulumi's.
  const pulumi = createRequire(require.resolve("@pulumi/pulumi/package.json"));
  const grpc = pulumi("@grpc/grpc-js") as typeof import("@grpc/grpc-js");
  const { EngineClient } = pulumi("./proto/engine_grpc_pb.js") as { EngineClient: typeof Client };
  const { LogRequest, LogSeverity } = pulumi(
    "./proto/engine_pb.js",
  ) as typeof import("@pulumi/pulumi/proto/engine_pb.js");
  const client = new EngineClient(address, grpc.credentials.createInsecure());
  return {
    log: (message, urn, ephemeral) =>
      new Promise((resolve, reject) => {
        const request = new LogRequest();
        request.setSeverity(LogSeverity.INFO);
        request.setMessage(message);
        // The CLI ends with a panic where it is told of anything else; "" is the stack.
        request.setUrn(urn.startsWith("urn:pulumi:") ? urn : "");
        request.setEphemeral(ephemeral);
        client.log(request, (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      }),
  };
}

const plainEngine: Engine = {
  log: (message, _urn, ephemeral) => {
    if (!ephemeral) console.log(message);
    return Promise.resolve();
  },
};
