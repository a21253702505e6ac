/** What a verb writes, where it may not arrive: who reads it has gone, or a disk is full. */

export interface Output {
  /** Why standard output did not take all of it; undefined where it did. To be asked when all is written. */
  finish(): Promise<NodeJS.ErrnoException | undefined>;
}

/** `onLost` is called as soon as standard output takes no more: what does something besides goes on to its end. */
export function watchOutput(onLost: () => void): Output {
  let failure: NodeJS.ErrnoException | undefined;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    failure ??= error;
    onLost();
  });
  // Nobody sees how far it is, which is no reason to leave it half-done.
  process.stderr.on("error", () => undefined);
  return {
    finish: async () => {
      // An error comes later than the write that met it.
      await new Promise<void>((resolve) => {
        process.stdout.write("", () => {
          setImmediate(resolve);
        });
      });
      return failure;
    },
  };
}

/** The status of a verb that ended with `status`, once it is known what became of its output. */
export function statusBehind(status: number, failure: NodeJS.ErrnoException | undefined): number {
  if (failure === undefined) return status;
  // Whoever leaves in the middle (`vms log --follow | head`) has what they wanted.
  if (failure.code === "EPIPE") return status;
  process.stderr.write(`Cannot write to standard output: ${failure.message}\n`);
  return status === 0 ? 1 : status;
}
