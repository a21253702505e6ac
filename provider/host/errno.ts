/** Whether a call of the operating system failed in one of these ways, such as "ENOENT". Our own errors carry codes of another kind. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && codes.some((code) => code === error.code);
}
