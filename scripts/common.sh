# Sourced by run.sh, test.sh and bench.sh. Everything that is said goes to standard error: standard output belongs to the program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE=true
# No build servers: nothing of ours is left running when a script has ended.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
configuration=Release

say() { printf '%s\n' "$*" >&2; }
fail() { say "error: $*"; exit 1; }

# need <debian package> <what it is for> <command or file that proves it>
need() {
  local package=$1 purpose=$2 proof=$3
  if [ -e "$proof" ] || command -v "$proof" >/dev/null 2>&1; then return; fi
  if ! command -v apt-get >/dev/null 2>&1; then fail "$proof is missing, which $purpose needs; install it ($package on Debian and Ubuntu)"; fi
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null || fail "$proof is missing, which $purpose needs; install it: sudo apt-get install $package"
    sudo="sudo -n"
  fi
  say "installing $package, which $purpose needs"
  # The services that the packages bring are ours to start: privately, on free ports, for as long as we run.
  $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2 \
    || { $sudo apt-get update -qq >&2 && $sudo env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2; } \
    || fail "could not install $package; install it by hand"
}

need_dotnet() {
  command -v dotnet >/dev/null 2>&1 || fail "the .NET 10 SDK is missing; install it from https://dot.net or your distribution"
  case "$(dotnet --version 2>/dev/null)" in 1[0-9].*) ;; *) fail "expected the .NET SDK 10 or later, found '$(dotnet --version 2>/dev/null)'";; esac
}

need_servers() {
  need_dotnet
  local initdb
  initdb=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1 || true)
  need postgresql "the journal" "${initdb:-initdb}"
  need docker-registry "pack delivery" /usr/bin/docker-registry
  need util-linux "running PostgreSQL as its own user" setpriv
  need util-linux "ending servers in order" setsid
}

# Which actor host the grains are built against: asked once, remembered, overridden by the environment.
choose_actor_host() {
  if [ -n "${ActorHost:-}" ]; then
    say "actor host: $ActorHost (from the environment)"
  elif [ -f artifacts/actor-host ]; then
    ActorHost=$(cat artifacts/actor-host)
    say "actor host: $ActorHost (remembered in artifacts/actor-host)"
  else
    say "probing whether the Orleans packages can be restored"
    mkdir -p artifacts
    if timeout 120 dotnet restore Silo/Governor.Silo.csproj -p:ActorHost=Orleans -v q -nodeReuse:false >/dev/null 2>&1 </dev/null; then ActorHost=Orleans; else ActorHost=Embedded; fi
    printf '%s\n' "$ActorHost" > artifacts/actor-host
    say "actor host: $ActorHost"
  fi
  export ActorHost
  bin="artifacts/$ActorHost/bin"
}

# build <project or solution>
build() {
  local log=artifacts/build.log
  mkdir -p artifacts
  if ! dotnet build "$1" -c "$configuration" -v q --nologo -nodeReuse:false -p:UseSharedCompilation=false > "$log" 2>&1 </dev/null; then
    grep -E ' error |: error' "$log" | sort -u | head -n 30 >&2 || cat "$log" >&2
    fail "the build failed; all of it is in $log"
  fi
}
