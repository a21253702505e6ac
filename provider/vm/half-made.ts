import { VmsError } from "../errors.js";

/** A create that failed when its domain was defined already: whoever keeps a record must keep this UUID. */
export class HalfMadeError extends VmsError {
  constructor(
    readonly uuid: string,
    cause: VmsError,
  ) {
    super(cause.code, cause.reason, { hint: cause.hint, cause });
    this.name = "HalfMadeError";
  }
}
