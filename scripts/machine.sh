# Sourced by the scripts beside it: where they keep things, how they speak, how they install.
# Results go to stdout (one path, or lines for `eval`), everything said to people to stderr.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
STATE=${MLOPS_CI_MACHINE_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/mlops-ci}
CACHE=${MLOPS_CI_MACHINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mlops-ci}
mkdir -p "$STATE" "$CACHE"

say() { printf '%s\n' "$*" >&2; }

# die WHAT WHAT-TO-DO: exit 4, the code that the product gives an outside service that is missing.
die() {
  say "error: $1"
  if [ $# -gt 1 ]; then say "  what to do: $2"; fi
  exit 4
}

# Two test sessions may start the same thing at once: the second waits, then finds it done.
one_at_a_time() {
  command -v flock >/dev/null || return 0
  exec 9>"$STATE/$1.lock"
  flock -w 900 9 || die "another $1 run has held $STATE/$1.lock for 15 minutes"
}

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# apt_install REASON PACKAGE...
apt_install() {
  local reason=$1 missing=() package
  shift
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  can_apt || die "$reason needs ${missing[*]}, which only root on Debian or Ubuntu can install here" \
    "install ${missing[*]} with your system's package manager, then run this again"
  say "installing ${missing[*]} ($reason)"
  (
    exec 9>&-
    exec 8>"$STATE/apt.lock"
    flock -w 900 8
    export DEBIAN_FRONTEND=noninteractive
    if ! find /var/lib/apt/lists -name '*_Packages*' -mmin -1440 2>/dev/null | grep -q .; then
      apt-get update -qq >&2
    fi
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$STATE/apt.log" 2>&1 ||
      { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$STATE/apt.log" 2>&1
  ) || {
    tail -n 15 "$STATE/apt.log" >&2
    die "apt-get could not install ${missing[*]}" "read $STATE/apt.log"
  }
}

# A process that outlives this shell. in_background NAME COMMAND...: writes NAME.pid and NAME.log.
in_background() {
  local name=$1
  shift
  # 9>&-: a server that kept the lock's descriptor would hold the lock for ever.
  setsid nohup "$@" >"$STATE/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/$name.pid"
}

# is_running NAME PROGRAM: the program is asked for, because after a reboot the id may be another's.
is_running() {
  [ -s "$STATE/$1.pid" ] || return 1
  local pid
  pid=$(cat "$STATE/$1.pid")
  # A minimal Debian has no ps, a Mac no /proc.
  { tr '\0' ' ' <"/proc/$pid/cmdline" || ps -p "$pid" -o args=; } 2>/dev/null | grep -q -- "$2"
}

# http_answers PORT PATH: 200 from 127.0.0.1. There may be no curl.
http_answers() {
  local status
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3
  read -r _ status _ <&3
  exec 3>&-
  [ "$status" = 200 ]
}

# wait_until SECONDS COMMAND...
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.2
  done
}

# The docker command that can build here: Debian's 20.10 builds with BuildKit by itself; a newer
# one asks for the buildx plug-in.
docker_command() {
  local candidate
  for candidate in "$(command -v docker || true)" /usr/bin/docker /usr/local/bin/docker; do
    [ -x "$candidate" ] || continue
    if "$candidate" buildx version >/dev/null 2>&1 || [[ $("$candidate" --version) =~ version\ (19|20)\. ]]; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

# Sets DOCKER (and DOCKER_HOST) for the script that sourced this; starts the engine when none answers.
use_docker() {
  local lines
  lines=$("$ROOT/scripts/docker_engine.sh") || exit $?
  eval "$lines"
}

# pulled IMAGE: true when it is here, or could be fetched. Offline machines fail in milliseconds.
pulled() {
  "$DOCKER" image inspect "$1" >/dev/null 2>&1 || timeout 180 "$DOCKER" pull --quiet "$1" >/dev/null 2>&1
}

# The package-index settings of this machine, one NAME=value a line: a build inside a container
# must find packages where its host finds them. Never written into the checkout.
index_settings() {
  local name
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST UV_INDEX_URL UV_DEFAULT_INDEX UV_INDEX \
    HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    if [ -n "${!name:-}" ]; then printf '%s=%s\n' "$name" "${!name}"; fi
  done
}
