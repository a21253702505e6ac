/** A web server on the loopback that serves bytes from memory, and does on demand what servers do wrong. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Fault {
  /** The request that it happens to. */
  readonly path: string;
  /** How many requests it happens to; each one, where it is not said. */
  times?: number;
  readonly status?: number;
  /** After so many bytes of the body the connection breaks ... */
  readonly cutAfter?: number;
  /** ... or nothing comes any more, until `resume` is called. */
  readonly stallAfter?: number;
  readonly redirect?: string;
}

export interface Request {
  readonly path: string;
  readonly range: string | undefined;
  readonly status: number;
}

interface Reply {
  readonly status: number;
  readonly headers: Record<string, string | number>;
  readonly body: Buffer;
}

const empty = Buffer.alloc(0);

export class Mirror {
  readonly files = new Map<string, Buffer>();
  readonly requests: Request[] = [];
  readonly faults: Fault[] = [];
  /** Whether it heeds Range, If-Range, and says ETag and Content-Length. */
  ranges = true;
  ifRange = true;
  etags = true;
  lengths = true;
  readonly #stalled = new Set<() => void>();

  private constructor(private readonly server: Server) {
    server.on("request", (request, response) => this.answer(request, response));
  }

  static async start(): Promise<Mirror> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Mirror(server);
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** Lets stalled replies go on. */
  resume(): void {
    for (const go of this.#stalled) go();
    this.#stalled.clear();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, "close");
  }

  asked(path: string): Request[] {
    return this.requests.filter((request) => request.path === path);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    const fault = this.takeFault(path);
    const { status, headers, body } = this.replyTo(request, fault);
    this.requests.push({ path, range: request.headers.range, status });
    response.writeHead(status, headers);
    this.send(response, body, fault);
  }

  private replyTo(request: IncomingMessage, fault: Fault | undefined): Reply {
    const content = this.files.get(request.url ?? "");
    if (fault?.redirect !== undefined) return { status: 302, headers: { location: fault.redirect }, body: empty };
    if (fault?.status !== undefined) return { status: fault.status, headers: {}, body: empty };
    if (content === undefined) return { status: 404, headers: {}, body: empty };
    const etag = `"${createHash("md5").update(content).digest("hex")}"`;
    const headers = this.etags ? { etag } : {};
    const from = this.rangeStart(request, etag);
    if (from === undefined) return { status: 200, headers: { ...headers, ...this.lengthOf(content) }, body: content };
    const size = content.length;
    if (from >= size) return { status: 416, headers: { "content-range": `bytes */${size}` }, body: empty };
    const body = content.subarray(from);
    const range = { "content-range": `bytes ${from}-${size - 1}/${size}` };
    return { status: 206, headers: { ...headers, ...this.lengthOf(body), ...range }, body };
  }

  private lengthOf(body: Buffer): Record<string, number> {
    return this.lengths ? { "content-length": body.length } : {};
  }

  private rangeStart({ headers }: IncomingMessage, etag: string): number | undefined {
    const from = /^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1];
    const changed = this.ifRange && headers["if-range"] !== undefined && headers["if-range"] !== etag;
    return this.ranges && from !== undefined && !changed ? Number(from) : undefined;
  }

  private send(response: ServerResponse, body: Buffer, fault: Fault | undefined): void {
    const stop = fault?.cutAfter ?? fault?.stallAfter;
    if (stop === undefined) {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, stop), () => {
      if (fault?.cutAfter !== undefined) response.socket?.end();
      else this.#stalled.add(() => response.end(body.subarray(stop)));
    });
  }

  private takeFault(path: string): Fault | undefined {
    const fault = this.faults.find((each) => each.path === path && each.times !== 0);
    if (fault?.times !== undefined) fault.times--;
    return fault;
  }
}
