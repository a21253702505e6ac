/** How long each part of a `pulumi up` took, read from the engine's event log (a JSON object a line, times in seconds). */
import { formatSeconds } from "./terminal-progress.js";

export interface Part {
  /** "host", or a phase of the VM such as "packages". */
  readonly text: string;
  readonly seconds: number;
}

interface Event {
  readonly timestamp: number;
  readonly resourcePreEvent?: { readonly metadata: { readonly urn: string; readonly op: string } };
  readonly resOutputsEvent?: { readonly metadata: { readonly urn: string } };
  readonly resOpFailedEvent?: { readonly metadata: { readonly urn: string } };
  readonly diagnosticEvent?: { readonly urn?: string; readonly message: string; readonly severity: string };
}

interface Row {
  readonly start: number;
  readonly parts: { text: string; start: number }[];
}

/** The resources that were made or changed, in the order in which they began, each with its phases where it told any. */
export function readTimes(log: string): Part[] {
  const rows = new Map<string, Row>();
  const done: Part[] = [];
  for (const line of log.split("\n")) {
    if (line.trim() === "") continue;
    const event = JSON.parse(line) as Event;
    begin(event, rows);
    tell(event, rows);
    done.push(...end(event, rows));
  }
  return done;
}

function begin({ timestamp, resourcePreEvent }: Event, rows: Map<string, Row>): void {
  if (resourcePreEvent === undefined) return;
  const { urn, op } = resourcePreEvent.metadata;
  // Pulumi's own: the stack and the providers.
  if (op === "same" || urn.includes("::pulumi:")) return;
  rows.set(urn, { start: timestamp, parts: [] });
}

function tell({ timestamp, diagnosticEvent }: Event, rows: Map<string, Row>): void {
  if (diagnosticEvent?.urn === undefined || diagnosticEvent.severity === "debug") return;
  const row = rows.get(diagnosticEvent.urn);
  // Between the engine's marks for colours; "packages: 41 of 187" is a detail of the phase "packages".
  const text = diagnosticEvent.message
    .replace(/<\{%.*?%\}>/g, "")
    .trim()
    .replace(/: .*$/s, "");
  if (row === undefined || row.parts.at(-1)?.text === text) return;
  row.parts.push({ text, start: timestamp });
}

function end({ timestamp, resOutputsEvent, resOpFailedEvent }: Event, rows: Map<string, Row>): Part[] {
  const urn = (resOutputsEvent ?? resOpFailedEvent)?.metadata.urn ?? "";
  const row = rows.get(urn);
  if (row === undefined) return [];
  rows.delete(urn);
  const name = urn.split("::").at(-1) ?? urn;
  const phases = row.parts.map((part, index) => ({
    text: `  ${part.text}`,
    seconds: (row.parts[index + 1]?.start ?? timestamp) - part.start,
  }));
  return [{ text: name, seconds: timestamp - row.start }, ...phases.filter(({ seconds }) => seconds > 0)];
}

/** A line a part, times under one another. */
export function showTimes(parts: readonly Part[]): string[] {
  const width = Math.max(...parts.map(({ text }) => text.length));
  return parts.map(({ text, seconds }) => `  ${text.padEnd(width)}  ${formatSeconds(seconds * 1000)}`);
}
