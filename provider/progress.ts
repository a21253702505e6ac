/** How far a long operation is: what the providers and the command line each show in their own way. */
export interface Progress {
  /** A phase begins ("fetching the ISO", "installing", "starting"): one plain line where there is no live display. */
  phase(text: string): void;
  /** A detail of the phase ("pacstrap 41/187"): live displays only, overwritten by the next. */
  detail(text: string): void;
  /** A line that a user must read: it stays. */
  notice(text: string): void;
}

/** Shows nothing. */
export const silent: Progress = {
  phase: () => undefined,
  detail: () => undefined,
  notice: () => undefined,
};
