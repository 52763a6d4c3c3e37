#!/usr/bin/env bash
# How many jobs a second a server accepts and finishes, with a file of SQLite's and with a PostgreSQL of its own, synced.
#   pool.sh BIN [JOBS [WINDOW]]
set -euo pipefail
BIN=$1 JOBS=${2:-5000} WINDOW=${3:-100}
FOLDER=$(mktemp -d) POSTGRES=$(mktemp -d /tmp/muster-postgres-XXXXXX)
HERE=$(dirname "$0")
trap '"$HERE/../pool/postgres.sh" stop "$POSTGRES"; rm -rf "$FOLDER"' EXIT
MUSTER_POSTGRES_FSYNC=on "$HERE/../pool/postgres.sh" start "$POSTGRES"
for window in "$WINDOW" 1; do
  jobs=$((window == 1 ? JOBS / 20 : JOBS))
  "$BIN/bench_submits" "$FOLDER/$window.db" $jobs $window
  psql -q "postgresql://muster@/postgres?host=$POSTGRES" -c "CREATE DATABASE bench$window"
  "$BIN/bench_submits" "postgresql://muster@/bench$window?host=$POSTGRES" $jobs $window
done
