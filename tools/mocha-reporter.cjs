// Mocha's own `spec` reporter, which besides keeps "PASSED FAILED SKIPPED STATE" in a file: after each test, so that a run which
// is killed has told what it got to, and with the state "done" when all tests are through. The titles of those that failed follow,
// a line each.
const { writeFileSync } = require("node:fs");
const { reporters, Runner } = require("mocha");

const mostLines = 60;
const { EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } = Runner.constants;

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    this.file = options.reporterOptions.file;
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const titles = [];
    this.write = (state) => {
      const numbers = `${counts.passed} ${counts.failed} ${counts.skipped} ${state}`;
      writeFileSync(this.file, [numbers, ...titles, ""].join("\n"));
    };
    const count = (event, name) =>
      runner.on(event, (test, error) => {
        counts[name] += 1;
        if (name === "failed") {
          titles.push(test.fullTitle().replace(/\s+/g, " "));
          // At once, too: a run that is ended before its end never comes to mocha's own list.
          console.log(
            String(error?.stack ?? error?.message)
              .split("\n")
              .slice(0, mostLines)
              .join("\n"),
          );
        }
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
