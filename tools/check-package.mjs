// Checks what `npm pack` would ship: all that runs, and nothing of the tests. Reads the output of `npm pack --dry-run --json`.
import { readFileSync } from "node:fs";

const required = [
  /^dist\/resources\/index\.js$/,
  /^dist\/resources\/index\.d\.ts$/,
  /^dist\/provider\/arch-vm\.js$/,
  /^dist\/provider\/host-bootstrap\.js$/,
  /^dist\/cli\/main\.js$/,
  /^guest\/install\.sh$/,
  /^guest\/identity\.sh$/,
  /^guest\/profiles\/minimal\.sh$/,
  /^templates\/domain\.xml\.hbs$/,
  /^keys\/./,
  /^docs\/profiles\.md$/,
  /^LICENSE$/,
  /^README\.md$/,
];
const allowed =
  /^(dist\/(resources|provider|cli)\/|guest\/|templates\/|keys\/|docs\/[a-z-]+\.md$|(package\.json|README\.md|CHANGELOG\.md|LICENSE)$)/;

const paths = JSON.parse(readFileSync(0, "utf8"))[0].files.map((file) => file.path);
const problems = [
  ...required
    .filter((pattern) => !paths.some((path) => pattern.test(path)))
    .map((pattern) => `nothing in it matches ${pattern}`),
  ...paths
    .filter((path) => !allowed.test(path) || /(^|\/)test\//.test(path))
    .map((path) => `${path} does not belong in it`),
];
for (const problem of problems) console.error(`npm pack: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
