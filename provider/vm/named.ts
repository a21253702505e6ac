/** The VM that somebody names on the command line: found, or an error that says what is there instead. */
import { VmsError } from "../errors.js";
import { type Domain, findDomain, listDomains } from "../libvirt/domain.js";
import type { Connection } from "../libvirt/virsh.js";
import { imageOwner } from "./install-leftovers.js";
import { commandLine, type OwnDomain } from "./ownership.js";
import { isVmName } from "./spec.js";

/** By name or UUID, whoever of us made it. Throws VmsError: gone, foreign, or input where it cannot be a VM's name. */
export async function findNamed(connection: Connection, name: string): Promise<OwnDomain> {
  const domain = await findDomain(connection, name);
  if (domain === undefined) throw await notThere(connection, name);
  return requireMarked(domain, connection);
}

function requireMarked(domain: Domain, connection: Connection): OwnDomain {
  const { mark } = domain;
  if (mark !== undefined) return { ...domain, mark };
  throw new VmsError("foreign", `the domain of that name is not ours (UUID ${domain.uuid}); it was left alone`, {
    hint: `Use virsh for it: virsh -c ${connection} dominfo ${domain.uuid}`,
  });
}

async function notThere(connection: Connection, name: string): Promise<VmsError> {
  if (!isVmName(name)) {
    return new VmsError(
      "input",
      "it is not a name that a VM can have: a-z, 0-9 and -, at most 63, not a hyphen first",
      {
        hint: "See what there is: vms list",
      },
    );
  }
  const marked = (await listDomains(connection)).filter(({ mark }) => mark !== undefined);
  if (marked.some(({ mark }) => mark?.madeFor === name)) {
    return new VmsError("busy", "it is being made: what it stands on is installed first", {
      hint: `Follow it: vms log ${name} --follow`,
    });
  }
  const hint = hintAt(name, marked);
  return new VmsError("gone", "there is no VM of that name", { hint });
}

/** What to do where there is no VM of a name. */
export async function whatIsThere(connection: Connection, name: string): Promise<string> {
  return hintAt(
    name,
    (await listDomains(connection)).filter(({ mark }) => mark !== undefined),
  );
}

function hintAt(name: string, ours: readonly Domain[]): string {
  const close = closeNames(
    name,
    ours.map((domain) => domain.name),
  );
  return `${close.length > 0 ? `Did you mean ${close.join(" or ")}? ` : ""}See: vms list`;
}

/** Those that begin with what was typed, or else those that differ by the fewest slips: three names and two slips at most. */
export function closeNames(typed: string, names: readonly string[]): string[] {
  const begun = names.filter((name) => name.startsWith(typed));
  if (begun.length > 0) return begun.sort().slice(0, 3);
  const slips = new Map(names.map((name) => [name, countSlips(typed, name)]));
  const least = Math.min(...slips.values());
  if (least > Math.min(2, Math.ceil(typed.length / 3))) return [];
  return names
    .filter((name) => slips.get(name) === least)
    .sort()
    .slice(0, 3);
}

/** How many letters have to be put in, taken out, changed, or swapped with the next (optimal string alignment). */
function countSlips(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const [put, taken, same] = [next[j - 1] ?? 0, row[j] ?? 0, row[j - 1] ?? 0];
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(put + 1, taken + 1, same + (a[i - 1] === b[j - 1] ? 0 : 1), swap));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}

/** Throws VmsError (busy) where the VM is not whole: it is being made or deleted, or that was interrupted. */
export function requireWhole({ name, mark }: OwnDomain): void {
  if (mark.phase === "ready") return;
  if (mark.owner.id === imageOwner.id) {
    throw new VmsError("busy", "it is no VM: an image is being made in it", {
      hint: `It goes when that is over. Follow it: vms log ${name} --follow`,
    });
  }
  const again =
    mark.owner.id === commandLine.id ? "make it again by the same command" : `run pulumi up for ${mark.owner.label}`;
  throw new VmsError("busy", `it is not whole: it is at work, or was interrupted, at "${mark.phase}"`, {
    hint: `See whether it still goes on: vms log ${name} --follow. If not, ${mark.phase === "deleting" ? "" : `${again}, or `}remove it: vms destroy ${name}`,
  });
}
