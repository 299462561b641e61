#!/bin/sh
# Sees to it that the browser tests have Debian's Chromium; Playwright's own download is not needed.
set -eu
if ! command -v chromium >/dev/null; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
fi
chromium --version
