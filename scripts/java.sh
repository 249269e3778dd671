#!/usr/bin/env bash
# Java 17 or newer, which Spark needs. Prints its home: `JAVA_HOME=$(scripts/java.sh)`.
. "$(dirname "$0")/machine.sh"
one_at_a_time java

# home_of JAVA: its home, where it is new enough.
home_of() {
  local home version
  home=$(dirname "$(dirname "$(readlink -f "$1")")")
  version=$("$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
  [ "${version:-0}" -ge 17 ] && printf '%s\n' "$home"
}

for java in ${JAVA_HOME:+"$JAVA_HOME/bin/java"} "$(command -v java || true)"; do
  if [ -x "$java" ] && home_of "$java"; then exit; fi
done
apt_install "Spark" openjdk-17-jre-headless
home_of /usr/lib/jvm/java-17-openjdk-*/bin/java ||
  die "Java 17 was installed and does not run" "look at /usr/lib/jvm"
