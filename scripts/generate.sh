#!/usr/bin/env bash
# Writes what is generated from Domain/Kinds: deploy/crds and the table in docs/kinds.md. The tests that write are those that check.
set -euo pipefail
cd "$(dirname "$0")/.."
GOVERNOR_REGENERATE=1 dotnet test tests/Domain.Tests -c Release --nologo -v q --filter FullyQualifiedName~GeneratedFileTests "$@"
