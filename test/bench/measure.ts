/** A row of the table: something that is done several times, and how long it took. */

export interface Row {
  readonly what: string;
  readonly times: number;
  readonly work: () => Promise<unknown>;
  /** Looked at after the last turn: what it took besides time. */
  readonly note?: () => string;
  /** Not timed: what the one before has left. */
  readonly tidy?: () => Promise<unknown>;
}

export const heading = (): string => line("", ["times", "least", "median", "most"]);

/** Does it all, and returns the line for it. */
export async function measureRow({ what, times, work, note, tidy }: Row): Promise<string> {
  const seconds: number[] = [];
  let noted = "";
  for (let turn = 0; turn < times; turn += 1) {
    const start = performance.now();
    await work();
    seconds.push((performance.now() - start) / 1000);
    noted = note?.() ?? "";
    await tidy?.();
  }
  seconds.sort((a, b) => a - b);
  const shown = [seconds[0], seconds[Math.floor(seconds.length / 2)], seconds.at(-1)];
  const cells = [String(times), ...shown.map((value = 0) => `${value.toFixed(3)} s`)];
  return `${line(what, cells)}${noted === "" ? "" : `  ${noted}`}`;
}

function line(what: string, cells: readonly string[]): string {
  return `${what.padEnd(52)}${cells.map((cell) => cell.padStart(10)).join("")}`;
}
