#!/usr/bin/env bash
# An SSH server for the tests of Docker hosts that are reached by SSH. Prints the path of its program.
. "$(dirname "$0")/machine.sh"
program=$(PATH=$PATH:/usr/sbin command -v sshd || true)
if [ -z "$program" ]; then
  apt_install "an SSH server for tests" openssh-server openssh-client
  program=$(PATH=$PATH:/usr/sbin command -v sshd) || die "openssh-server has no sshd"
fi
mkdir -p /run/sshd 2>/dev/null || true
echo "$program"
