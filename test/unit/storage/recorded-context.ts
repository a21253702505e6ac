import { join } from "node:path";
import type { Context } from "../../../provider/context.js";
import { silent } from "../../../provider/progress.js";
import { resolveSettings } from "../../../provider/settings.js";
import { type Recorded, recording } from "../../support/recorded.js";

/** A context whose ISO directory is `iso` in `folder`, and what was shown through it. */
export type RecordedContext = Context & Recorded;

export function recordedContext(folder: string, signal?: AbortSignal): RecordedContext {
  const { settings } = resolveSettings({ iso: join(folder, "iso") }, { VMS_CONF: "/dev/null" });
  return recording({ settings, progress: silent, signal });
}
