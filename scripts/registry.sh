#!/usr/bin/env bash
# registry.sh [PORT]: an OCI registry on 127.0.0.1, one per port, empty at its first start.
# Prints host:port. `registry.sh stop PORT` ends one that this script started.
. "$(dirname "$0")/machine.sh"

stop_registry() {
  local name=registry-$1
  is_running "$name" docker-registry || return 0
  kill "$(cat "$STATE/$name.pid")"
  rm -rf "${STATE:?}/$name" "$STATE/$name.pid" "$STATE/$name.yml"
}

configure() {
  mkdir -p "$STATE/registry-$1"
  cat >"$STATE/registry-$1.yml" <<CONFIG
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: "$STATE/registry-$1"}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$1"}
CONFIG
}

if [ "${1:-}" = stop ]; then stop_registry "$2"; exit; fi

port=${1:-5000}
one_at_a_time "registry_$port"
if ! is_running "registry-$port" docker-registry; then
  apt_install "a registry on loopback" docker-registry
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    die "port $port of 127.0.0.1 is taken by another program" "give another port: scripts/registry.sh 5001"
  fi
  configure "$port"
  in_background "registry-$port" docker-registry serve "$STATE/registry-$port.yml"
  wait_until 60 http_answers "$port" /v2/ || {
    tail -n 5 "$STATE/registry-$port.log" >&2
    die "the registry did not answer on port $port in 60 s" "see $STATE/registry-$port.log"
  }
fi
echo "127.0.0.1:$port"
