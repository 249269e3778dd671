#!/usr/bin/env bash
# stand_in.sh IMAGE PACKAGE[,PACKAGE...] [docker import --change]...
# Where IMAGE cannot be pulled: Debian 12 with these packages, imported under IMAGE's name, so that
# a Dockerfile which says FROM IMAGE builds unchanged. It carries what makes this machine work and
# a pulled image would not know: the CA bundle, pip's and uv's settings.
. "$(dirname "$0")/machine.sh"
[ $# -ge 2 ] || die "usage: stand_in.sh IMAGE PACKAGE[,PACKAGE...] [CHANGE]..."
image=$1 packages=$2
shift 2

mirror() {
  apt-get indextargets --format '$(CODENAME) $(LABEL) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "bookworm" && $2 == "Debian" && $3 == "main" { print $4; exit }'
}

bootstrap() {
  local directory=$1
  apt_install "a stand-in for $image, which cannot be pulled here" debootstrap debian-archive-keyring ca-certificates
  say "building a stand-in for $image out of Debian packages (about 40 s)"
  debootstrap --variant=minbase --include="ca-certificates,$packages" bookworm "$directory" $(mirror) >"$STATE/debootstrap.log" 2>&1 || {
    tail -n 15 "$STATE/debootstrap.log" >&2
    die "debootstrap failed" "read $STATE/debootstrap.log"
  }
  rm -rf "$directory"/var/cache/apt/*.bin "$directory"/var/cache/apt/archives/*.deb "$directory"/var/lib/apt/lists/* \
    "$directory"/usr/share/doc/* "$directory"/usr/share/man/* "$directory"/usr/share/locale/*
}

python_like_the_official_image() {
  local directory=$1
  [ -x "$directory/usr/bin/python3" ] || return 0
  ln -sf python3 "$directory/usr/bin/python"
  rm -f "$directory"/usr/lib/python3*/EXTERNALLY-MANAGED
}

settings_of_this_machine() {
  local directory=$1 file
  cp -L /etc/ssl/certs/ca-certificates.crt "$directory/etc/ssl/certs/ca-certificates.crt"
  for file in /etc/pip.conf "$HOME/.pip/pip.conf" "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" "${PIP_CONFIG_FILE:-}"; do
    if [ -f "$file" ]; then cp "$file" "$directory/etc/pip.conf"; fi
  done
  for file in /etc/uv/uv.toml "${XDG_CONFIG_HOME:-$HOME/.config}/uv/uv.toml" "${UV_CONFIG_FILE:-}"; do
    if [ -f "$file" ]; then mkdir -p "$directory/etc/uv" && cp "$file" "$directory/etc/uv/uv.toml"; fi
  done
  for file in /etc/apt/apt.conf.d/*proxy*; do
    if [ -f "$file" ]; then cp "$file" "$directory/etc/apt/apt.conf.d/"; fi
  done
}

import() {
  local directory=$1 bundle=/etc/ssl/certs/ca-certificates.crt line changes=()
  shift
  for line in "SSL_CERT_FILE=$bundle" "PIP_CERT=$bundle" "REQUESTS_CA_BUNDLE=$bundle" "CURL_CA_BUNDLE=$bundle"; do
    changes+=(--change "ENV $line")
  done
  while IFS= read -r line; do changes+=(--change "ENV $line"); done < <(index_settings)
  while [ $# -gt 0 ]; do changes+=(--change "$1"); shift; done
  tar -C "$directory" --numeric-owner -c . | "$DOCKER" import "${changes[@]}" \
    --change "LABEL org.opencontainers.image.description=stand-in-out-of-Debian-packages" - "$image" >/dev/null
}

use_docker
one_at_a_time "stand_in_$(tr -c 'a-z0-9\n' _ <<<"$image")"
if pulled "$image"; then say "image $image is here"; exit; fi
can_apt || die "image $image cannot be pulled, and only root on Debian or Ubuntu can build its stand-in" \
  "docker pull $image on a machine with access, docker save it, and docker load it here"
directory=$(mktemp -d /var/tmp/stand-in.XXXXXX)
trap 'rm -rf --one-file-system "$directory"' EXIT
bootstrap "$directory"
python_like_the_official_image "$directory"
settings_of_this_machine "$directory"
import "$directory" "$@"
say "image $image stands ready"
