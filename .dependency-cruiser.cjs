/**
 * Which way imports point: cli -> provider; inside it provider/*.ts -> vm -> install -> console | storage | libvirt -> host;
 * resources reach the provider at run time only, by the package's name. The shared files may be used by all.
 */
const shared = "^provider/(errors|paths|settings|context|progress|steps)\\.ts$";
const layers = [
  "^provider/host/",
  "^provider/(console|storage|libvirt)/",
  "^provider/install/",
  "^provider/vm/",
  "^provider/[^/]+\\.ts$",
];

/** A layer imports nothing of those above it. */
const upwards = layers.slice(0, -1).map((from, index) => ({
  name: `not-upwards-${index}`,
  comment: "Imports point down: provider/*.ts -> vm -> install -> console | storage | libvirt -> host",
  severity: "error",
  from: { path: from },
  to: { path: layers.slice(index + 1), pathNot: shared },
}));

module.exports = {
  forbidden: [
    ...upwards,
    {
      name: "shared-stands-alone",
      comment: "errors, paths, settings, context, progress and steps are used by all, so they use only each other",
      severity: "error",
      from: { path: shared },
      to: { path: "^(provider|cli|resources|test)/", pathNot: shared },
    },
    {
      name: "siblings",
      comment: "console, storage and libvirt do not know of each other",
      severity: "error",
      from: { path: "^provider/(console|storage|libvirt)/" },
      to: { path: "^provider/(console|storage|libvirt)/", pathNot: "^provider/$1/" },
    },
    {
      name: "no-circles",
      comment: "A circle has no direction",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "nobody-imports-cli",
      severity: "error",
      from: { path: "^(provider|resources)/" },
      to: { path: "^cli/" },
    },
    {
      name: "nobody-imports-resources",
      severity: "error",
      from: { path: "^(provider|cli)/" },
      to: { path: "^resources/" },
    },
    {
      name: "resources-load-the-provider-late",
      comment:
        'A stub imports the provider by the package\'s name, when it is called: import("pulumi-vms/provider/...")',
      severity: "error",
      from: { path: "^resources/" },
      to: { path: "^provider/", dependencyTypesNot: ["type-only", "dynamic-import"] },
    },
    {
      name: "no-tests-in-the-product",
      comment: "Only the demo uses the stand-in, where no Arch mirror can be reached",
      severity: "error",
      from: { path: "^(provider|resources|cli)/", pathNot: "^cli/stand-in\\.ts$" },
      to: { path: "^test/" },
    },
    {
      name: "one-place-starts-programs",
      comment: "Programs are started through provider/host/command.ts",
      severity: "error",
      from: { path: "^(provider|resources|cli)/", pathNot: "^provider/host/command\\.ts$" },
      to: { path: ["node_modules/execa/", "^(node:)?child_process$"] },
    },
    {
      name: "provider-without-pulumi",
      comment: "The provider runs where no Pulumi program does; only the progress goes to its engine",
      severity: "error",
      from: { path: "^(provider|cli)/", pathNot: "^provider/engine-(progress|log)\\.ts$" },
      to: { path: "node_modules/@pulumi/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-dev-dependencies",
      comment: "What ships needs only what package.json's dependencies install",
      severity: "error",
      from: { path: "^(provider|resources|cli)/" },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm-peer", "type-only"] },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^pulumi-vms/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // The package's own name leads to its compiled files: what they import is checked in the sources.
    exclude: { path: "^dist/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
      extensions: [".ts", ".js", ".mjs", ".cjs", ".json"],
    },
  },
};
