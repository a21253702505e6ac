/**
 * A package mirror for tests: files under one directory over HTTP, on the loopback only.
 * A guest with qemu's user networking reaches it at 10.0.2.2.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve, sep } from "node:path";
import { pipeline } from "node:stream/promises";

export interface Mirror {
  port: number;
  /** What the host uses. */
  url: string;
  /** What a guest writes into its mirror list. */
  guestUrl: string;
  close(): Promise<void>;
}

export async function serveMirror(root: string, options: { port?: number } = {}): Promise<Mirror> {
  const server = createServer((request, response) => {
    answer(resolve(root), request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail).listen(options.port ?? 0, "127.0.0.1", done);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    guestUrl: `http://10.0.2.2:${port}/$repo/os/$arch`,
    close: () =>
      new Promise((done, fail) => {
        server.close((error) => (error ? fail(error) : done()));
        server.closeAllConnections();
      }),
  };
}

async function answer(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const path = localPath(root, request.url ?? "/");
  const info = path === undefined ? undefined : await stat(path).catch(() => undefined);
  if (path === undefined || !info?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  const headers = { "last-modified": info.mtime.toUTCString(), "accept-ranges": "bytes" };
  if (isUnchanged(request, info.mtime)) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = parseRange(request.headers.range, info.size);
  if (range === "unsatisfiable") {
    response.writeHead(416, { ...headers, "content-range": `bytes */${info.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: info.size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    "content-length": end - start + 1,
    ...(range && { "content-range": `bytes ${start}-${end}/${info.size}` }),
  });
  if (request.method === "HEAD" || end < start) {
    response.end();
    return;
  }
  await pipeline(createReadStream(path, { start, end }), response);
}

/** The file a URL names, or undefined where it points out of the root or cannot be decoded. */
function localPath(root: string, url: string): string | undefined {
  try {
    const path = join(root, decodeURIComponent(url.replace(/[?#].*$/, "")));
    return path.startsWith(root + sep) && !path.includes("\0") ? path : undefined;
  } catch {
    return undefined;
  }
}

/** HTTP dates have whole seconds. */
function isUnchanged(request: IncomingMessage, modified: Date): boolean {
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  return Math.floor(modified.getTime() / 1000) * 1000 <= since;
}

/** One range only: undefined (the whole file) for what is no such range, as the standard allows. */
function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return start > end || start >= size ? "unsatisfiable" : { start, end };
}
