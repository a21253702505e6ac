/** Whether a system call failed with one of these ("ENOENT"). Our own errors carry codes of another kind. */
export function isSystemError(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
