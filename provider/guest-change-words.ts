/** What a preview says of changes inside the guest: settings, passwords and packages. */
type Values = Readonly<Record<string, unknown>>;

const settings: readonly string[] = ["hostname", "timezone", "locale", "keymap", "authorizedKeys"];
const passwords: readonly string[] = ["password", "rootPassword"];

/** The inputs whose change goes through the guest. */
export const guestInputs: readonly string[] = [...settings, ...passwords, "packages"];

/**
 * The consequence of a change of one of these, without the transition itself; undefined for any other input.
 *
 * @param runs whether the VM runs now; undefined where nobody could tell
 */
export function guestConsequence(
  name: string,
  olds: Values,
  news: Values,
  runs: boolean | undefined,
): string | undefined {
  if (settings.includes(name)) return settingConsequence(name, news, runs);
  if (passwords.includes(name)) return passwordConsequence(name, news, runs);
  return name === "packages" ? packagesConsequence(olds, news, runs) : undefined;
}

function settingConsequence(name: string, news: Values, runs: boolean | undefined): string {
  const when = runs === undefined ? "at once if it runs, else at the next boot" : runs ? "at once" : "at the next boot";
  // Of a clone: its source's, until the program says otherwise.
  if (name === "authorizedKeys" && news[name] === undefined) return "left as they are";
  const none = name === "authorizedKeys" && Array.isArray(news[name]) && news[name].length === 0;
  return `in place, ${when}${none ? "; the keys that were given before go, and sshd is off where no others are left" : ""}`;
}

function passwordConsequence(name: string, news: Values, runs: boolean | undefined): string {
  const gone =
    name === "password" ? "the account is locked again, and sudo asks for none" : "the account is locked again";
  return `in place${startedFor(news, runs)}${news[name] === undefined ? `; ${gone}` : ""}`;
}

/** Only a guest that runs can be asked for it. */
function startedFor(news: Values, runs: boolean | undefined): string {
  if (runs === true) return ", at once";
  const started = news["running"] === true ? "is started for it" : "is started for it and shut down again";
  return runs === false ? `; the VM is off: it ${started}` : `; a VM that is off ${started}`;
}

function packagesConsequence(olds: Values, news: Values, runs: boolean | undefined): string {
  const { added, removed } = changedPackages(olds, news);
  const parts = [
    ...(added.length === 0
      ? []
      : [
          `${added.join(", ")}: installed in place by pacman -Syu, which upgrades the whole system (Arch does not support partial upgrades)${startedFor(news, runs)}`,
        ]),
    ...(removed.length === 0 ? [] : [`${removed.join(", ")}: recorded; what is taken out of the list stays installed`]),
  ];
  return parts.length === 0 ? "in place" : parts.join("; ");
}

/** What is in the one list and not in the other. */
export function changedPackages(olds: Values, news: Values): { added: string[]; removed: string[] } {
  const [before, now] = [listOf(olds["packages"]), listOf(news["packages"])];
  return {
    added: now.filter((name) => !before.includes(name)),
    removed: before.filter((name) => !now.includes(name)),
  };
}

const listOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
