import type { Context } from "../context.js";

/** Tells how many bytes of `total` are done, each time another percent is (or 16 MiB, where the total is not known). */
export function reportAmount(context: Context, doing: string, total: number | undefined): (done: number) => void {
  const MiB = 1024 ** 2;
  const step = total === undefined ? 16 * MiB : total / 100;
  let shown = -1;
  return (done) => {
    const now = Math.floor(done / step);
    if (now === shown) return;
    shown = now;
    const amount = Math.round(done / MiB);
    const text =
      total === undefined ? `${amount} MiB` : `${Math.min(now, 100)}%, ${amount} of ${Math.round(total / MiB)} MiB`;
    context.progress.detail(`${doing}, ${text}`);
  };
}
