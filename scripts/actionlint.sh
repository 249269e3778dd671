#!/usr/bin/env bash
# Prints the path of actionlint.
exec "$(dirname "$0")/go_program.sh" actionlint github.com/rhysd/actionlint/cmd/actionlint v1.7.12
