#!/usr/bin/env bash
# The image of the front container that holds a deployed model's port. Prints its name.
cd "$(dirname "$0")"
image=${1:-haproxy:2.6-bookworm}
# No entrypoint: the official one only puts `haproxy -W -db` in front, so callers give the whole command.
./stand_in.sh "$image" haproxy 'CMD ["haproxy","-W","-db","-f","/usr/local/etc/haproxy/haproxy.cfg"]' &&
  echo "$image"
