/**
 * For a suite each of whose tests goes on where the one before it ended: behind one that failed the rest is skipped. Mocha's own
 * `bail` would skip the tests of every later suite that has it, too.
 */
export function tellInOrder(): void {
  let broken = false;
  beforeEach(function () {
    if (broken) this.skip();
  });
  afterEach(function () {
    broken ||= this.currentTest?.state === "failed";
  });
}
