#!/usr/bin/env bash
# A Docker engine that answers: the one that is there, else Debian's docker.io started here.
# Prints lines for eval: DOCKER_HOST (when it is not the default), DOCKER (a CLI that can build),
# DOCKER_BUILDKIT. `docker_engine.sh stop` ends an engine that this script started.
. "$(dirname "$0")/machine.sh"

SOCKET=/var/run/docker.sock

answers() { "${DOCKER:-docker}" info --format '{{.ServerVersion}}' 2>/dev/null | grep -q .; }

stop_engine() {
  is_running dockerd dockerd || { say "no Docker engine of ours is running"; return; }
  local pid
  pid=$(cat "$STATE/dockerd.pid")
  kill "$pid"
  wait_until 30 bash -c "! kill -0 $pid" || die "dockerd ($pid) does not end" "see $STATE/dockerd.log"
  rm -f "$STATE/dockerd.pid"
}

start_engine() {
  [ "$(id -u)" = 0 ] || die "no Docker engine answers, and only root can start one" \
    "start Docker (for instance: sudo systemctl start docker), or set DOCKER_HOST"
  apt_install "the Docker engine" docker.io iptables ca-certificates
  DOCKER=$(docker_command)
  if answers; then return; fi # only the command was missing
  if ! pidof dockerd >/dev/null; then
    say "starting dockerd (log: $STATE/dockerd.log)"
    rm -f /var/run/docker.pid
    in_background dockerd dockerd --host "unix://$SOCKET"
  fi
  wait_until 180 answers || {
    tail -n 15 "$STATE/dockerd.log" >&2
    die "dockerd did not become ready in 180 s" "see $STATE/dockerd.log"
  }
}

if [ "${1:-start}" = stop ]; then stop_engine; exit; fi

one_at_a_time docker_engine
DOCKER=$(docker_command || command -v docker || true)
if [ -n "${DOCKER_HOST:-}" ] && [ "$DOCKER_HOST" != "unix://$SOCKET" ] && [ -n "$DOCKER" ] && ! answers; then
  die "no Docker engine answers at DOCKER_HOST=$DOCKER_HOST" "start it, or unset DOCKER_HOST for the one of this machine"
fi
if [ -z "$DOCKER" ] || ! answers; then start_engine; fi
DOCKER=$(docker_command) || {
  apt_install "a docker command that can build" docker.io
  DOCKER=$(docker_command) || die "no docker command here can build an image" "install docker-buildx, or docker.io of Debian 12"
}
say "Docker engine $("$DOCKER" info --format '{{.ServerVersion}}') answers; command: $DOCKER"
printf 'export DOCKER=%q DOCKER_BUILDKIT=1\n' "$DOCKER"
if [ -n "${DOCKER_HOST:-}" ]; then printf 'export DOCKER_HOST=%q\n' "$DOCKER_HOST"; fi
