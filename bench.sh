#!/usr/bin/env bash
# The measurements, each as a ratio to its limit or peer in the same run.
#   ./bench.sh [name] [--json]
. "$(dirname "$0")/scripts/common.sh"
need_servers
choose_actor_host
say "building"
build bench/Governor.Bench.csproj
exec dotnet "$bin/Governor.Bench/${configuration,,}/Governor.Bench.dll" "$@"
