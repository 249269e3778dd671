#!/usr/bin/env bash
# Builds both stages of the Dockerfile under the names that action.yml asks for, so that a workflow
# on this machine runs this checkout. Prints the two names.
. "$(dirname "$0")/machine.sh"
cd "$ROOT"
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' mlops_ci/__init__.py)
repository=${MLOPS_CI_IMAGE:-ghcr.io/mlops-ci/mlops-ci}

use_docker
scripts/base_image.sh >/dev/null
one_at_a_time action_images
settings=$(mktemp)
trap 'rm -f "$settings"' EXIT
# Quoted for the shell that reads it as a secret during the build.
index_settings | while IFS='=' read -r name value; do printf '%s=%q\n' "$name" "$value"; done >"$settings"
for stage in slim full; do
  say "building $repository:$version-$stage"
  "$DOCKER" build --quiet --progress plain --secret "id=index,src=$settings" --target "$stage" \
    --label "org.opencontainers.image.version=$version" \
    --label org.opencontainers.image.source=https://github.com/mlops-ci/mlops-ci \
    --label org.opencontainers.image.licenses=Apache-2.0 \
    --label "org.opencontainers.image.revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --tag "$repository:$version-$stage" . >/dev/null ||
    die "the $stage stage did not build" "see the whole output: DOCKER_BUILDKIT=1 $DOCKER build --progress plain --target $stage ."
done
printf '%s\n' "$repository:$version-slim" "$repository:$version-full"
