// Status 0 where node_modules holds what package-lock.json says. npm keeps a copy of what it installed as
// node_modules/.package-lock.json; packages for other platforms are optional and not in it.
import { readFileSync } from "node:fs";

const packagesOf = (file) => JSON.parse(readFileSync(file, "utf8")).packages;

function matches() {
  const wanted = packagesOf("package-lock.json");
  const installed = packagesOf("node_modules/.package-lock.json");
  const same = (path) =>
    installed[path]?.version === wanted[path]?.version && installed[path]?.integrity === wanted[path]?.integrity;
  const needed = Object.keys(wanted).filter((path) => path !== "" && wanted[path].optional !== true);
  return [...needed, ...Object.keys(installed)].every(same);
}

try {
  process.exitCode = matches() ? 0 : 1;
} catch (error) {
  // No node_modules, or none that npm finished: install.
  if (error.code !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
  process.exitCode = 1;
}
