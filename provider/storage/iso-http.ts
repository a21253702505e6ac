/** One request: redirects that stay safe, a limit on silence, and errors that say whether it is worth trying again. */
import { cancelledBy, VmsError } from "../errors.js";
import { isSafeUrl } from "./iso-input.js";

/** In seconds, but for `attempts`: how often in a row something may fail without anything new having come. */
export interface Patience {
  /** Without a byte for so long, the connection counts as dead. */
  readonly silence: number;
  readonly attempts: number;
  /** Before the second attempt; twice as long before each further one. */
  readonly pause: number;
}

export const patience: Patience = { silence: 30, attempts: 5, pause: 1 };

/** The transfer broke off, or the server is not able just now: it is worth trying again. */
export class InterruptedTransfer extends Error {}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** Read it to the end, or `discard`. Throws InterruptedTransfer where it breaks off. */
  readonly body: AsyncIterable<Uint8Array>;
  discard(): void;
}

const maxRedirects = 5;

/**
 * GET. Statuses of 200, 206 and 416 are replies; others throw: InterruptedTransfer where the server may recover, VmsError
 * (unreachable, gone, input) where it will not.
 */
export async function get(
  url: string,
  headers: Record<string, string>,
  silence: number,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  const connection = new Connection(silence, signal);
  try {
    const response = await follow(url, headers, connection);
    const { status } = response;
    if (status !== 200 && status !== 206 && status !== 416) throw statusError(url, status);
    return { status, headers: response.headers, body: connection.read(response), discard: () => connection.close() };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The whole of a small file. Throws VmsError (unreachable) where it is larger than `limit` bytes. */
export async function getSmall(
  url: string,
  silence: number,
  signal: AbortSignal | undefined,
  limit = 1024 ** 2,
): Promise<Buffer> {
  const reply = await get(url, {}, silence, signal);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of reply.body) {
    size += chunk.length;
    if (size > limit)
      throw new VmsError("unreachable", `${url} is larger than ${limit} bytes: it is not what it should be`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Ends a request when the user cancels or when nothing comes for too long, and knows which of the two it was. */
class Connection {
  readonly #silent = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(
    readonly silence: number,
    readonly user: AbortSignal | undefined,
  ) {
    this.#timer = setTimeout(() => this.#silent.abort(), silence * 1000);
    this.signal = user === undefined ? this.#silent.signal : AbortSignal.any([user, this.#silent.signal]);
  }

  async *read(response: Response): AsyncGenerator<Uint8Array> {
    const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
    try {
      for (;;) {
        const next = await reader?.read();
        if (next === undefined || next.done) return;
        this.#timer.refresh();
        yield next.value;
        this.#timer.refresh(); // the disk's time is not the server's
      }
    } catch (error) {
      throw this.explain(error);
    } finally {
      this.close();
    }
  }

  explain(error: unknown): Error {
    if (this.user?.aborted === true) return cancelledBy(this.user.reason);
    if (this.#silent.signal.aborted)
      return new InterruptedTransfer(`nothing came for ${this.silence} s`, { cause: error });
    return new InterruptedTransfer(causeOf(error).message, { cause: error });
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#silent.abort();
  }
}

async function follow(url: string, headers: Record<string, string>, connection: Connection): Promise<Response> {
  let here = new URL(url);
  for (let hop = 0; hop <= maxRedirects; hop++) {
    if (!isSafeUrl(here)) throw new VmsError("input", `${url} leads to ${here.href}, which would come unprotected`);
    const response = await request(here, headers, connection);
    const location = response.headers.get("location");
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    here = new URL(location, here);
  }
  throw new VmsError("unreachable", `${url} leads from one place to the next without end`);
}

async function request(url: URL, headers: Record<string, string>, connection: Connection): Promise<Response> {
  try {
    // Ranges and sizes are about the file as it is, so it must not be compressed on the way.
    const plain = { "accept-encoding": "identity", ...headers };
    return await fetch(url, { headers: plain, redirect: "manual", signal: connection.signal });
  } catch (error) {
    const explained = connection.explain(error);
    throw explained instanceof InterruptedTransfer && isHopeless(error) ? unreachable(url, causeOf(error)) : explained;
  }
}

/** Nobody is there, or not who should be: asking again within seconds changes nothing. */
function isHopeless(error: unknown): boolean {
  const cause = causeOf(error);
  const code = "code" in cause ? String(cause.code) : "";
  return /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ERR_TLS_.*|.*CERT.*)$/.test(code);
}

function unreachable(url: URL, cause: Error): VmsError {
  const proxied = ["https_proxy", "HTTPS_PROXY"].some((name) => (process.env[name] ?? "") !== "");
  const proxy = "Node.js uses the proxy of the environment from 24 on, with NODE_USE_ENV_PROXY=1";
  return new VmsError("unreachable", `${url.host} cannot be reached: ${cause.message}`, {
    hint: proxied ? proxy : "Look at the network, or give the path of an ISO that is here already",
    cause,
  });
}

function statusError(url: string, status: number): Error {
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    return new InterruptedTransfer(`the server answered with status ${status}`);
  }
  const missing = status === 404 || status === 410;
  return new VmsError(missing ? "gone" : "unreachable", `${url}: the server answered with status ${status}`, {
    hint: missing ? "Look for the file's new name on the server" : undefined,
  });
}

/** fetch says "fetch failed" or "terminated"; what failed is in its cause, and for several addresses in a list. */
function causeOf(error: unknown): Error {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0];
  if (error instanceof Error && error.cause instanceof Error) return causeOf(error.cause);
  return error instanceof Error ? error : new Error(String(error));
}
