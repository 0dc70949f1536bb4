#!/bin/sh
# Makes sure that system packages are there. As root they are installed; otherwise the missing ones are named.
# Usage: packages.sh app | test
set -eu

missing=""
need() { missing="$missing $1"; }
browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null 2>&1
library() { ldconfig -p 2>/dev/null | grep -q "$1"; }
# Installed under /usr/lib/postgresql/*/bin on Debian, which is not on the PATH.
postgres() { command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }

library 'libpango-1\.0' || need libpango-1.0-0
library 'libpangoft2-1\.0' || need libpangoft2-1.0-0
library 'libharfbuzz-subset' || need libharfbuzz-subset0
if [ "${1:-app}" = test ]; then
    postgres || need postgresql
    command -v redis-server >/dev/null 2>&1 || need redis-server
    browser || need chromium
    command -v qpdf >/dev/null 2>&1 || need qpdf
    command -v pdftotext >/dev/null 2>&1 || need poppler-utils
    command -v xmlsec1 >/dev/null 2>&1 || need xmlsec1
fi
[ -z "$missing" ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing system packages:$missing. Install them (sudo apt-get install$missing) and run make again." >&2
    exit 2
fi
echo "Installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
# The tests start servers of their own: no cluster and no daemon of the packages'.
mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
apt-get update -qq
log=$(mktemp)
# shellcheck disable=SC2086  one word per package
if ! apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1; then
    tail -20 "$log" >&2
    exit 2
fi
