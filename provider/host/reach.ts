/** Where Arch's own packages and media come from where no other mirror is named. */
export const archMirror = "https://geo.mirror.pkgbuild.com/";

/** In milliseconds: who has a way to a server has an answer by then. */
const patience = 5000;

/** Whether a server answers, whatever it says. */
export async function canReach(url: string, signal?: AbortSignal): Promise<boolean> {
  const limits = [AbortSignal.timeout(patience), ...(signal === undefined ? [] : [signal])];
  try {
    await fetch(url, { method: "HEAD", signal: AbortSignal.any(limits) });
    return true;
  } catch {
    signal?.throwIfAborted();
    // No name, no route, no answer in time: for who asks it is all the same.
    return false;
  }
}
