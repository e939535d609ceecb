#!/usr/bin/env bash
# Writes what is generated from Domain/Kinds: deploy/crds, schemas, the table in docs/kinds.md, and the rules of deploy/rbac/silo.yaml. The tests that write are those that check.
set -euo pipefail
cd "$(dirname "$0")/.."
GOVERNOR_REGENERATE=1 dotnet test tests/Domain.Tests -c Release --nologo -v q --filter FullyQualifiedName~GeneratedFileTests "$@"
