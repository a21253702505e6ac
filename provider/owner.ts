/**
 * Which stack a VM belongs to. Two checkouts may both have a stack `dev`: what tells them apart is where their state is kept, so
 * the fingerprint is of backend, organisation, project and stack. It is a hash: a mark in a domain shows nobody's paths.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Owner } from "./libvirt/mark.js";

/** Throws where the URN is not one of Pulumi's (urn:pulumi:<stack>::<project>::<type>::<name>). */
export function stackOwner(urn: string, organization: string, environment: NodeJS.ProcessEnv = process.env): Owner {
  const match = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(urn);
  const [, stack, project] = match ?? [];
  if (stack === undefined || project === undefined)
    throw new Error(`${JSON.stringify(urn)} is not the URN of a resource`);
  const fingerprint = createHash("sha256")
    .update(JSON.stringify([backendUrl(environment), organization, project, stack]))
    .digest("hex")
    .slice(0, 16);
  return { id: `stack:${fingerprint}`, label: `the stack ${stack} of ${project} (${urn})` };
}

/** Where the running Pulumi keeps its state, found as the CLI finds it. */
function backendUrl(environment: NodeJS.ProcessEnv): string {
  const url =
    environment["PULUMI_BACKEND_URL"] ?? projectBackend() ?? loggedIn(environment) ?? "https://api.pulumi.com";
  const path = /^file:\/\/(~|\.|\.\.)?(\/.*)?$/.exec(url);
  if (path === null) return url;
  const [, start, rest = ""] = path;
  return `file://${start === "~" ? join(homedir(), rest) : resolve(`${start ?? ""}${rest}`)}`;
}

function projectBackend(): string | undefined {
  const text = readProjectFile(process.cwd());
  return /^backend:[ \t]*(?:\{[^}\n]*?\burl:|(?:#.*)?\n(?:[ \t]+.*\n)*?[ \t]+url:)[ \t]*["']?([^"'\s#,}]+)/m.exec(
    text,
  )?.[1];
}

/** A program may lie deeper than its project. */
function readProjectFile(directory: string): string {
  const here = readText(join(directory, "Pulumi.yaml")) ?? readText(join(directory, "Pulumi.yml"));
  const above = dirname(directory);
  return here ?? (above === directory ? "" : readProjectFile(above));
}

function loggedIn(environment: NodeJS.ProcessEnv): string | undefined {
  const home = environment["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  const text = readText(join(home, "credentials.json"));
  if (text === undefined) return undefined;
  const { current } = JSON.parse(text) as { current?: unknown };
  return typeof current === "string" && current !== "" ? current : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
