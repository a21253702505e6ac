# Reads the rows of the groups, the file names and the control stanzas of the Debian packages.
# Prints one pacman package a line: name, repository, version, dependencies, files, with tabs between; "-" is an empty
# field.

BEGIN {
  OFS = "\t"
  count = split(dropped, list, " ")
  for (i = 1; i <= count; i++) is_dropped[list[i]] = 1
}

# A row: name, repository, Debian packages, a colon, more dependencies.
FNR == 1 { part++ }

part == 1 {
  if (!($1 in repository)) names[++total] = $1
  repository[$1] = $2
  after = 0
  for (i = 3; i <= NF; i++) {
    if ($i == ":") after = 1
    else if (after) extra[$1] = extra[$1] " " $i
    else { debs[$1] = debs[$1] " " $i; owner[$i] = $1 }
  }
  next
}

part == 2 { split($1, half, "_"); file[half[1]] = $1; next }

/^Package: / { package = $2 }
/^Version: / { version[package] = pacman_version($2) }
/^(Pre-)?Depends: / { sub(/^[^:]*: /, ""); needs[package] = needs[package] ", " $0 }
/^Provides: / {
  sub(/^[^:]*: /, "")
  count = split($0, list, /, */)
  for (i = 1; i <= count; i++) {
    sub(/ .*/, "", list[i])
    provider[list[i]] = provider[list[i]] " " package
  }
}

END {
  # Packages come after the rows as they are met: a name list that grows while it is walked.
  for (n = 1; n <= total; n++) describe(names[n])
}

function pacman_version(text, epoch) {
  if (match(text, /^[0-9]+:/)) { epoch = substr(text, 1, RLENGTH); text = substr(text, RLENGTH + 1) }
  gsub(/[-~:]/, ".", text)
  return epoch text "-1"
}

# The package of this system that meets one dependency: the first alternative that was downloaded.
function resolve(clause, count, list, i, name, candidates) {
  count = split(clause, list, /[ ]*\|[ ]*/)
  for (i = 1; i <= count; i++) {
    name = list[i]
    sub(/[ (:].*/, "", name)
    if (name in is_dropped) return ""
    if (name in file) return name
    if (name in provider) { split(provider[name], candidates, " "); return candidates[1] }
  }
  return ""
}

function describe(name, members, member_count, i, j, count, list, deb, target, files, deps, seen, ver) {
  member_count = split(debs[name], members, " ")
  seen[name] = 1
  # A minus before a name takes out a dependency that Debian has and Arch has not.
  count = split(extra[name], list, " ")
  for (j = 1; j <= count; j++) if (list[j] ~ /^-/) seen[substr(list[j], 2)] = seen[list[j]] = 1
  for (i = 1; i <= member_count; i++) {
    deb = members[i]
    if (!(deb in file)) { print "no such Debian package: " deb >"/dev/stderr"; exit 1 }
    files = files " " file[deb]
    if (ver == "") ver = version[deb]
    count = split(needs[deb], list, /,[ ]*/)
    for (j = 1; j <= count; j++) {
      target = resolve(list[j])
      if (target == "" || target in is_dropped) continue
      if (!(target in owner)) adopt(target, repository[name])
      if (!(owner[target] in seen)) deps = deps " " owner[target]
      seen[owner[target]] = 1
    }
  }
  count = split(extra[name], list, " ")
  for (j = 1; j <= count; j++) if (!(list[j] in seen)) { deps = deps " " list[j]; seen[list[j]] = 1 }
  print name, repository[name], ver == "" ? "1-1" : ver, either(deps), either(files)
}

# A Debian package that no row names becomes a package of its own, in the repository of the first that needs it.
function adopt(deb, repo) {
  owner[deb] = deb
  names[++total] = deb
  debs[deb] = deb
  repository[deb] = repo
}

function either(list) { return list == "" ? "-" : substr(list, 2) }
