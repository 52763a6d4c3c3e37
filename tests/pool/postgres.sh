#!/usr/bin/env bash
# A PostgreSQL of a test's own, on a socket in DIR: postgresql://muster@/postgres?host=DIR
#   postgres.sh start|stop|kill|freeze|thaw DIR [PORT]
# With a PORT it is at 127.0.0.1:PORT as well, and its socket is at that port.
# initdb refuses root, so root becomes the user that Debian's package made. DIR is made by `start`, and goes with
# `stop`; `kill` ends it as a crash does, after which `start` goes on with what it had. Nothing is synced, since no
# test cuts the power, unless MUSTER_POSTGRES_FSYNC=on.
set -euo pipefail
PROGRAMS=$(echo /usr/lib/postgresql/*/bin | awk '{print $NF}')
ACTION=$1 DIR=$2 PORT=${3:-}
[ -x "$PROGRAMS/initdb" ] || { echo "no PostgreSQL here: ./dev setup installs it" >&2; exit 1; }

as_owner() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=postgres --regid=postgres --clear-groups env -i PATH="$PROGRAMS:/usr/bin:/bin" LC_ALL=C.UTF-8 "$@"
  else
    env -i PATH="$PROGRAMS:/usr/bin:/bin" LC_ALL=C.UTF-8 "$@"
  fi
}
begin() {
  if [ ! -d "$DIR/data" ]; then
    mkdir -p "$DIR"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$DIR"; fi
    as_owner initdb -D "$DIR/data" -U muster -A trust --no-sync --no-instructions > "$DIR.initdb" 2>&1 ||
      { cat "$DIR.initdb" >&2; exit 1; }
    rm -f "$DIR.initdb"
  fi
  as_owner pg_ctl -D "$DIR/data" -w -t 60 -l "$DIR/log" \
    -o "-c listen_addresses=${PORT:+127.0.0.1} -c port=${PORT:-5432} -c unix_socket_directories=$DIR -c shared_buffers=32MB -c max_connections=50 -c fsync=${MUSTER_POSTGRES_FSYNC:-off}" \
    start > "$DIR.start" 2>&1 < /dev/null || { cat "$DIR.start" "$DIR/log" >&2; exit 1; }
  rm -f "$DIR.start"
}
signal_all() {
  local first
  first=$(head -1 "$DIR/data/postmaster.pid" 2> /dev/null) || return 0
  kill "-$1" "$first" $(ps -o pid= --ppid "$first") 2> /dev/null || true
}
case $ACTION in
  start) begin ;;
  stop)
    signal_all CONT
    as_owner pg_ctl -D "$DIR/data" -m immediate -w stop > /dev/null 2>&1 || true
    rm -rf "$DIR"
    ;;
  kill) as_owner pg_ctl -D "$DIR/data" -m immediate -w stop > /dev/null ;;
  freeze) signal_all STOP ;;
  thaw) signal_all CONT ;;
  *) echo "postgres.sh: start, stop, kill, freeze or thaw" >&2; exit 2 ;;
esac
