#!/usr/bin/env bash
# Git LFS. Prints the path of its program.
. "$(dirname "$0")/machine.sh"
one_at_a_time git_lfs
command -v git-lfs && exit
apt_install "repositories with large files" git-lfs
command -v git-lfs || die "git-lfs was installed and is not on PATH" "add its folder to PATH"
