#!/usr/bin/env bash
# Everything a newcomer needs: PostgreSQL, an OCI registry, two sandbox clusters, the silo, and a signed pack on its way to a tenant.
#   ./run.sh            stays up and shows what waits for what; Ctrl-C ends everything
#   ./run.sh --once     runs the main job to completion; exit code 0 when it succeeded
#   ./run.sh --once --json   the outcome as one JSON document on standard output
#   ./run.sh --sandbox NAME...   sandbox clusters and nothing else, for kubectl; docs/sandbox.md says what they can be told to do
. "$(dirname "$0")/scripts/common.sh"
case " $* " in *" --sandbox "*) need_dotnet ;; *) need_servers ;; esac
choose_actor_host
say "building"
build Tour/Governor.Tour.csproj
exec dotnet "$bin/Governor.Tour/${configuration,,}/Governor.Tour.dll" "$@"
