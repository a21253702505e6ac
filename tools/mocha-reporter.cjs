// Mocha's own `spec` reporter, which besides keeps "PASSED FAILED SKIPPED STATE" in a file: after each test, so that a run which
// is killed has told what it got to, and with the state "done" when all tests are through.
const { writeFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Runner.constants;

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    this.file = options.reporterOptions.file;
    const counts = { passed: 0, failed: 0, skipped: 0 };
    this.write = (state) => writeFileSync(this.file, `${counts.passed} ${counts.failed} ${counts.skipped} ${state}\n`);
    const count = (event, name) =>
      runner.on(event, () => {
        counts[name] += 1;
        this.write("running");
      });
    count(EVENT_TEST_PASS, "passed");
    // Hooks that fail are told as failures, too.
    count(EVENT_TEST_FAIL, "failed");
    count(EVENT_TEST_PENDING, "skipped");
  }

  done(failures, finish) {
    this.write("done");
    finish(failures);
  }
};
