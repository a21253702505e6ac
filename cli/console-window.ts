/** The size of the window in which `vms console` shows a VM's serial line. */
import { Deadline, pollUntil } from "../provider/host/deadline.js";
import { setSerialSize } from "../provider/vm/serial-size.js";
import { connection } from "./connection.js";

/** In seconds: how long a guest is asked that does not answer. It may be booting, and be emulated. */
const bootLimit = 1200;

/** In milliseconds: from one time that it is told to the next, which sees whether that stands. */
const interval = 5000;

/** The guest is told the window's size until that stands, at first and with each change; the latest one where it is slower than they come. */
export function followWindow(uuid: string): { close(): void } {
  let latest = new AbortController();
  let telling: Promise<unknown> = Promise.resolve();
  const tell = async (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    const stands = async (): Promise<boolean> => {
      const { columns, rows } = process.stdout;
      const outcome = await setSerialSize(connection, uuid, { columns, rows });
      return outcome === "stands" || outcome === "gone";
    };
    await pollUntil(stands, { deadline: new Deadline(bootLimit), every: interval, signal });
  };
  const onResize = (): void => {
    latest.abort();
    latest = new AbortController();
    const { signal } = latest;
    // The console works without it, and where libvirt is gone virsh says so.
    telling = telling.then(() => tell(signal)).catch(() => undefined);
  };
  process.stdout.on("resize", onResize);
  onResize();
  return {
    close: () => {
      latest.abort();
      process.stdout.off("resize", onResize);
    },
  };
}
