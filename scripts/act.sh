#!/usr/bin/env bash
# act runs real workflow files on this machine. Prints its path.
exec "$(dirname "$0")/go_program.sh" act github.com/nektos/act v0.2.89
