#!/usr/bin/env bash
# A Chromium that can take screenshots. Prints its path.
. "$(dirname "$0")/machine.sh"
find_one() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && command -v "$name"; then return; fi
  done
  return 1
}
one_at_a_time chromium
find_one && exit
apt_install "screenshots of the report" chromium fonts-dejavu-core fonts-noto-color-emoji
find_one || die "chromium was installed and is not on PATH" "set CHROMIUM to its path"
