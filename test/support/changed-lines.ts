/** What differs between two texts, by the lines of a longest common subsequence. */
export function changedLines(before: string, after: string): { gone: string[]; come: string[] } {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  const at = (row: number, column: number): number => common[row * width + column] ?? 0;
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      common[row * width + column] =
        old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const [gone, come]: [string[], string[]] = [[], []];
  let [row, column] = [0, 0];
  while (row < old.length || column < now.length) {
    if (row < old.length && column < now.length && old[row] === now[column]) [row, column] = [row + 1, column + 1];
    else if (column >= now.length || (row < old.length && at(row + 1, column) >= at(row, column + 1)))
      gone.push(old[row++] ?? "");
    else come.push(now[column++] ?? "");
  }
  return { gone, come };
}
