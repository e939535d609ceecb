#!/usr/bin/env bash
# Installs what the tests need and runs them all. The last line is "N passed, N failed, N skipped".
#   ./test.sh                 all tests but the sieve
#   ./test.sh Sieve           perturbs the main job at every write, commit, event and list
#   ./test.sh Domain Grains   only these test projects
#   ./test.sh client --kubeconfig FILE [--context NAME] [--insecure]
#                             holds the API server behind FILE to what Governor relies on; without FILE, a sandbox.
#                             What it makes there has a namespace, an API group and a label of its own, and goes in the end.
caller=$PWD
. "$(dirname "$0")/scripts/common.sh"
passed=0 failed=0 skipped=0

# run_tests <name>: runs one built test project and counts.
run_tests() {
  local name=$1 project="tests/$1.Tests/Governor.$1.Tests.csproj" log="artifacts/test-$1.log" code=0 p f s
  [ -f "$project" ] || fail "there are no tests '$name'; expected one of: $(ls tests | sed -n 's/\.Tests$//p' | tr '\n' ' ')"
  say "testing $name"
  dotnet test "$project" -c "$configuration" --no-build --nologo -v q --logger "console;verbosity=normal" > "$log" 2>&1 </dev/null || code=$?
  p=$(sed -n 's/^ *Passed: *\([0-9]*\)$/\1/p' "$log" | tail -n 1)
  f=$(sed -n 's/^ *Failed: *\([0-9]*\)$/\1/p' "$log" | tail -n 1)
  s=$(sed -n 's/^ *Skipped: *\([0-9]*\)$/\1/p' "$log" | tail -n 1)
  if [ "$code" -ne 0 ] || [ -z "$p" ]; then
    # A test host that died has counted nothing: that is a failure, too.
    [ "${f:-0}" -gt 0 ] || f=1
    grep -E -A 25 '^ *Failed |error|\[FAIL\]|crashed' "$log" | head -n 200 || tail -n 60 "$log"
  fi
  echo "$name: ${p:-0} passed, ${f:-0} failed, ${s:-0} skipped"
  passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0})) skipped=$((skipped + ${s:-0}))
}

# test_client [--kubeconfig FILE] [--context NAME] [--insecure]: builds and needs nothing but the suite itself.
test_client() {
  local file
  while [ $# -gt 0 ]; do
    case $1 in
      --kubeconfig) [ $# -gt 1 ] || fail "--kubeconfig: expected a file, found nothing"
        case $2 in /*) file=$2 ;; *) file=$caller/$2 ;; esac
        [ -r "$file" ] || fail "--kubeconfig: expected a file that can be read, found '$2'"
        export GOVERNOR_CONFORMANCE_KUBECONFIG=$file; shift 2 ;;
      --context) [ $# -gt 1 ] || fail "--context: expected the name of a context, found nothing"
        export GOVERNOR_CONFORMANCE_CONTEXT=$2; shift 2 ;;
      --insecure) export GOVERNOR_CONFORMANCE_INSECURE=true; shift ;;
      *) fail "expected --kubeconfig FILE, --context NAME or --insecure, found '$1'" ;;
    esac
  done
  command -v dotnet >/dev/null 2>&1 || fail "the .NET 10 SDK is missing; install it from https://dot.net or your distribution"
  export ActorHost=${ActorHost:-Embedded} # plays no part here
  say "building"
  build tests/Client.Tests/Governor.Client.Tests.csproj
  export GOVERNOR_CONFORMANCE_LACKING=$PWD/artifacts/client-lacking.txt
  rm -f "$GOVERNOR_CONFORMANCE_LACKING"
  run_tests Client
  # A test counts as skipped only when the server itself has said that it lacks what the test is about: here is what it said.
  if [ -f "$GOVERNOR_CONFORMANCE_LACKING" ]; then sed 's/^/skipped: /' "$GOVERNOR_CONFORMANCE_LACKING"; fi
}

if [ "${1:-}" = client ]; then
  shift
  test_client "$@"
else
  need_servers
  need kubernetes-client "the sandbox tests" kubectl
  choose_actor_host
  say "building"
  build Governor.sln
  projects=("$@")
  if [ ${#projects[@]} -eq 0 ]; then
    # The sieve runs the main job hundreds of times and takes longer than all others together: ./test.sh Sieve
    for project in tests/*.Tests; do [ "$project" = tests/Sieve.Tests ] || projects+=("$(basename "$project" .Tests)"); done
  fi
  for name in "${projects[@]}"; do run_tests "$name"; done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
