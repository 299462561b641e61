#!/bin/sh
# Sees to it that the tests have Debian's Chromium and Firefox ESR, for Playwright's own downloads are
# not needed, and FriBiDi, by which Pillow joins the letters of Hindi and Telugu.
set -eu
missing=
command -v chromium >/dev/null || missing="$missing chromium fonts-dejavu-core"
command -v firefox-esr >/dev/null || missing="$missing firefox-esr"
ldconfig -p | grep -q libfribidi.so || missing="$missing libfribidi0" # letters on pictures
if [ -n "$missing" ]; then
    as_root=
    [ "$(id -u)" = 0 ] || as_root=sudo
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # names, one a word
    $as_root apt-get install -y -qq --no-install-recommends $missing
fi
chromium --version
firefox-esr --version
