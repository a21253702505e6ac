import { join } from "node:path";
import type { Context } from "../../../provider/context.js";
import { resolveSettings } from "../../../provider/settings.js";

/** A context whose ISO directory is `iso` in `folder`, and what was shown through it. */
export interface RecordedContext extends Context {
  readonly phases: string[];
  readonly details: string[];
  readonly notices: string[];
}

export function recordedContext(folder: string, signal?: AbortSignal): RecordedContext {
  const [phases, details, notices]: string[][] = [[], [], []];
  const progress = {
    phase: (text: string) => void phases?.push(text),
    detail: (text: string) => void details?.push(text),
    notice: (text: string) => void notices?.push(text),
  };
  const { settings } = resolveSettings({ iso: join(folder, "iso") }, { VMS_CONF: "/dev/null" });
  return { settings, progress, signal, phases: phases ?? [], details: details ?? [], notices: notices ?? [] };
}
