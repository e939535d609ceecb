#!/usr/bin/env bash
# Installs what the tests need and runs them all. The last line is "N passed, N failed, N skipped".
#   ./test.sh                 all tests
#   ./test.sh Domain Grains   only these test projects
. "$(dirname "$0")/scripts/common.sh"
need_servers
need kubernetes-client "the sandbox tests" kubectl
choose_actor_host
say "building"
build Governor.sln

passed=0 failed=0 skipped=0
projects=("$@")
if [ ${#projects[@]} -eq 0 ]; then
  for project in tests/*.Tests; do projects+=("$(basename "$project" .Tests)"); done
fi
for name in "${projects[@]}"; do
  project="tests/$name.Tests/Governor.$name.Tests.csproj"
  [ -f "$project" ] || fail "there are no tests '$name'; expected one of: $(ls tests | sed -n 's/\.Tests$//p' | tr '\n' ' ')"
  log="artifacts/test-$name.log"
  say "testing $name"
  code=0
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
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
