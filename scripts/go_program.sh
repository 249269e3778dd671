#!/usr/bin/env bash
# go_program.sh NAME MODULE VERSION: a program of that exact version, built by Go into the cache
# folder once. Prints its path.
. "$(dirname "$0")/machine.sh"
name=$1 module=$2 version=$3
program=$CACHE/bin/$name-$version
one_at_a_time "go_$name"
if [ ! -x "$program" ]; then
  command -v go >/dev/null || die "$name $version is built with Go, and Go is not installed" "install Go 1.24 or newer, then run this again"
  say "building $name $version"
  folder=$(mktemp -d "$CACHE/go.XXXXXX")
  trap 'rm -rf "$folder"' EXIT
  GOBIN=$folder GOFLAGS='' go install "$module@$version" >"$STATE/go-$name.log" 2>&1 || {
    tail -n 10 "$STATE/go-$name.log" >&2
    die "go install $module@$version failed" "read $STATE/go-$name.log"
  }
  mkdir -p "$CACHE/bin" && mv "$folder/$name" "$program"
fi
echo "$program"
