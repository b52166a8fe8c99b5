#!/usr/bin/env bash
# with_engine.sh COMMAND...: run a command with a real container engine, and what the tests need besides it.
#
# Where an engine answers that can pull images, that one is used. Otherwise, as root on Debian or Ubuntu, a private engine is
# brought up in a network namespace of its own, with a registry that answers under the public registry's name and is
# filled with small images built on the spot; the command then runs inside that namespace. Either way there is a
# registry with a password at 127.0.0.1:5001 (alice / s3cret) that holds team/app:1. Idempotent; nothing is fetched twice.
# `with_engine.sh --down` ends the private engine.
set -euo pipefail
state=${PILOTHOUSE_TEST_STATE:-/var/tmp/pilothouse-test-$(id -u)}
cache=$state/cache
# One namespace for each state folder: two of them never meet on a port.
netns=pilothouse-$(printf %s "$state" | cksum | cut -d' ' -f1)
mkdir -p "$state/log" "$cache"
say() { printf 'test engine: %s\n' "$*" >&2; }

answers() { curl -sf --max-time 3 --unix-socket "$1" http://engine/_ping >/dev/null 2>&1; }
alive() { [ -f "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

need_packages() {
  local missing=() pair
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}"); done
  [ ${#missing[@]} = 0 ] && return
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || { say "please install: ${missing[*]}"; exit 1; }
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$state/log/apt" 2>&1
}

# PILOTHOUSE_TEST_ENGINE=private asks for the private one in any case.
shared_engine_pulls() {
  [ "${PILOTHOUSE_TEST_ENGINE:-}" = private ] && return 1
  command -v docker >/dev/null || return 1
  timeout 10 docker version >/dev/null 2>&1 || return 1
  timeout 120 docker pull -q busybox:latest >/dev/null 2>&1
}

# --- an engine that is there already ---------------------------------------------------------------------------------

fill_shared_engine() {
  local image
  for image in busybox:latest python:3.11-slim nginx:latest; do
    docker image inspect "$image" >/dev/null 2>&1 || { say "pulling $image"; docker pull -q "$image" >/dev/null; }
  done
  curl -s -o /dev/null --max-time 2 http://127.0.0.1:5001/v2/ && return
  need_packages htpasswd:apache2-utils
  mkdir -p "$state/auth"
  htpasswd -Bbn alice s3cret >"$state/auth/htpasswd"
  docker rm -f pilothouse-test-registry >/dev/null 2>&1 || true
  docker run -d --name pilothouse-test-registry -p 127.0.0.1:5001:5000 -v "$state/auth:/auth:ro" \
    -e REGISTRY_AUTH=htpasswd -e REGISTRY_AUTH_HTPASSWD_REALM=tests -e REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd \
    registry:2 >/dev/null
}

# --- a private one ---------------------------------------------------------------------------------------------------

inside() { nsenter --net=/run/netns/$netns "$@"; }

make_namespace() {
  ip netns list | grep -qw $netns || ip netns add $netns
  ip -n $netns link set lo up
}

start_registry() { # NAME PORT TLS AUTH
  # Asked, not looked up: a process id may by now be somebody else's.
  inside curl -sk -o /dev/null --max-time 2 "http${3:+s}://127.0.0.1:$2/v2/" && return
  cat >"$state/$1.yml" <<YAML
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $state/$1}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$2"${3:+, $3}}
${4:-}
YAML
  nsenter --net=/run/netns/$netns setsid docker-registry serve "$state/$1.yml" >"$state/log/$1" 2>&1 </dev/null &
  echo $! >"$state/$1.pid"
}

start_engine() {
  answers "$state/docker.sock" && return
  alive "$state/dockerd.pid" && kill -9 "$(cat "$state/dockerd.pid")" || true
  rm -f "$state/docker.sock" "$state/exec/docker.pid"
  mkdir -p "$state/exec" /etc/docker
  # A mount namespace of its own, but not one for processes: their ids must mean the same to the tests.
  setsid unshare -m nsenter --net=/run/netns/$netns bash -c "
    mount --make-rprivate /
    mount -t tmpfs tmpfs '$state/exec'
    mount --bind '$state/hosts' /etc/hosts
    export SSL_CERT_FILE='$state/hub.crt' SSL_CERT_DIR=/nonexistent
    exec dockerd -H 'unix://$state/docker.sock' --data-root '$state/engine' --exec-root '$state/exec' \
      --pidfile '$state/exec/docker.pid' --cgroup-parent /pilothouse-test" \
    >"$state/log/dockerd" 2>&1 </dev/null &
  echo $! >"$state/dockerd.pid"
  for _ in $(seq 300); do answers "$state/docker.sock" && return; sleep 0.1; done
  say "the engine does not come up:"; tail -5 "$state/log/dockerd" >&2; exit 1
}

build_images() {
  [ -e "$state/filled" ] && return
  local root=$state/busybox name
  say "building images"
  rm -rf "$root"; mkdir -p "$root/bin" "$root/tmp" "$root/etc"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for name in $(busybox --list); do [ "$name" = busybox ] || ln -sf busybox "$root/bin/$name"; done
  echo 'root:x:0:0:root:/:/bin/sh' >"$root/etc/passwd"
  tar -C "$root" -c . | docker import -c 'CMD ["sh"]' - busybox:latest >/dev/null
  [ -f "$cache/python.tar" ] || {
    mmdebstrap --quiet --variant=minbase --include=python3,nginx-light --dpkgopt='path-exclude=/usr/share/doc/*' \
      --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      bookworm "$cache/python-part.tar" 2>"$state/log/mmdebstrap"
    mv "$cache/python-part.tar" "$cache/python.tar"
  }
  docker import -c 'CMD ["python3"]' "$cache/python.tar" python:3.11-slim >/dev/null
  mkdir -p "$state/context"
  printf 'FROM python:3.11-slim\nEXPOSE 80\nSTOPSIGNAL SIGQUIT\nCMD ["nginx","-g","daemon off;"]\n' >"$state/context/Dockerfile"
  DOCKER_BUILDKIT=0 docker build -q -t nginx:latest "$state/context" >/dev/null 2>"$state/log/build"
  for name in busybox:latest python:3.11-slim nginx:latest; do docker push -q "$name" >/dev/null; done
  touch "$state/filled"
}

start_private() {
  [ "$(id -u)" = 0 ] || { say "no engine that can pull images answers, and starting one takes root"; exit 1; }
  need_packages curl:curl dockerd:docker.io docker-registry:docker-registry ip:iproute2 \
    iptables:iptables htpasswd:apache2-utils openssl:openssl mmdebstrap:mmdebstrap busybox:busybox-static \
    nsenter:util-linux ps:procps
  # Newer Debians keep the client in a package of its own.
  command -v docker >/dev/null || need_packages docker:docker-cli
  make_namespace
  [ -f "$state/hub.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout "$state/hub.key" -out "$state/hub.crt" -subj /CN=registry-1.docker.io \
    -addext subjectAltName=DNS:registry-1.docker.io 2>/dev/null
  printf '127.0.0.1 localhost registry-1.docker.io\n' >"$state/hosts"
  [ -f "$state/htpasswd" ] || htpasswd -Bbn alice s3cret >"$state/htpasswd"
  start_registry hub 443 "tls: {certificate: $state/hub.crt, key: $state/hub.key}"
  start_registry private 5001 "" "auth: {htpasswd: {realm: tests, path: $state/htpasswd}}"
  start_engine
  export DOCKER_HOST=unix://$state/docker.sock
  build_images
  fill_private_registry inside
}

fill_private_registry() {
  [ -e "$state/private.filled" ] && return
  local config=$state/docker-config
  mkdir -p "$config"
  for _ in $(seq 50); do
    "$@" curl -s -o /dev/null --max-time 2 http://127.0.0.1:5001/v2/ && break
    sleep 0.1
  done
  docker tag busybox:latest 127.0.0.1:5001/team/app:1
  printf s3cret | DOCKER_CONFIG=$config docker login -u alice --password-stdin 127.0.0.1:5001 >/dev/null 2>&1
  DOCKER_CONFIG=$config docker push -q 127.0.0.1:5001/team/app:1 >/dev/null
  docker rmi 127.0.0.1:5001/team/app:1 >/dev/null
  rm -rf "$config"
  touch "$state/private.filled"
}

stop_private() {
  local file containers
  export DOCKER_HOST=unix://$state/docker.sock
  if answers "$state/docker.sock"; then
    containers=$(docker ps -aq)
    # shellcheck disable=SC2086  # several ids
    [ -z "$containers" ] || docker rm -f $containers >/dev/null
    kill "$(cat "$state/dockerd.pid")" 2>/dev/null || true
    for _ in $(seq 50); do alive "$state/dockerd.pid" || break; sleep 0.1; done
  fi
  for file in dockerd hub private; do
    alive "$state/$file.pid" && kill -9 "$(cat "$state/$file.pid")" || true
    rm -f "$state/$file.pid"
  done
  sleep 0.5
  ip netns del $netns 2>/dev/null || true
}

# ---------------------------------------------------------------------------------------------------------------------

if [ "${1:-}" = --down ]; then stop_private; exit 0; fi
need_packages tmux:tmux curl:curl redis-server:redis-server pebble:pebble sshd:openssh-server ssh:openssh-client \
  vim:vim htop:htop less:less mc:mc
# Tests of remote engines start a second one.
[ "$(id -u)" != 0 ] || need_packages ip:iproute2 dockerd:docker.io
if shared_engine_pulls; then
  fill_shared_engine
  rm -f "$state/private.filled"
  fill_private_registry
  exec "$@"
fi
start_private
exec nsenter --net=/run/netns/$netns "$@"
