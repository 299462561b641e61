#!/bin/sh
# Sees to it that the browser tests have Debian's Chromium and Firefox ESR; Playwright's own
# downloads are not needed.
set -eu
missing=
command -v chromium >/dev/null || missing="$missing chromium fonts-dejavu-core"
command -v firefox-esr >/dev/null || missing="$missing firefox-esr"
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # names, one a word
    $as_root apt-get install -y -qq --no-install-recommends $missing
fi
chromium --version
firefox-esr --version
