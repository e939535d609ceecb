#!/usr/bin/env bash
# Everything a newcomer needs: PostgreSQL, an OCI registry, two sandbox clusters, the silo, and a signed pack on its way to a tenant.
#   ./run.sh            stays up and shows what waits for what; Ctrl-C ends everything
#   ./run.sh --once     runs the main job to completion; exit code 0 when it succeeded
#   ./run.sh --once --json   the outcome as one JSON document on standard output
. "$(dirname "$0")/scripts/common.sh"
need_servers
choose_actor_host
say "building"
build Tour/Governor.Tour.csproj
exec dotnet "$bin/Governor.Tour/${configuration,,}/Governor.Tour.dll" "$@"
