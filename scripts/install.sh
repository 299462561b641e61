#!/bin/sh
# Installs Unmask with the extras named, each file of a package checked by its hash in
# requirements.lock. `make` and the Dockerfile both install by this, so what runs on a desk is what
# runs in a container.
#
#   scripts/install.sh server,bot              into the Python of $PYTHON (python3)
#   scripts/install.sh --editable server,dev   so that changes to the code are used at once
#   scripts/install.sh --gpu server            with the run time for NVIDIA GPUs (CUDA)
#   scripts/install.sh --unlocked server       at the versions of constraints.txt, without hashes:
#                                              for an index that has builds of its own
#
# Extras that are not in the lock (make) are always installed without hashes.
set -eu

cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
editable=
gpu=
locked=yes
while [ $# -gt 0 ]; do
    case $1 in
        --editable) editable=--editable ;;
        --gpu) gpu=yes ;;
        --unlocked) locked= ;;
        -*) echo "install.sh: there is no option $1" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done
extras=${1:-}

requirements=$(mktemp)
trap 'rm -f "$requirements"' EXIT

# The part of the lock that some extras need, in $requirements; fails if one of them is not in it.
lock_of() {
    "$python" scripts/locked.py "$1" > "$requirements"
}

if [ -n "$locked" ] && ! lock_of "core,build${extras:+,$extras}"; then
    echo "install.sh: not all of $extras is in requirements.lock; installing without hashes" >&2
    locked=
fi
if [ -n "$locked" ]; then
    "$python" -m pip install --require-hashes --only-binary :all: --requirement "$requirements"
    # The program that builds the package is installed now: none is fetched unchecked.
    # shellcheck disable=SC2086 # $editable is one word or none
    "$python" -m pip install --no-deps --no-build-isolation $editable .
else
    # shellcheck disable=SC2086 # $editable is one word or none
    "$python" -m pip install --constraint constraints.txt $editable ".${extras:+[$extras]}"
fi

if [ -n "$gpu" ]; then
    # Both run times are one and the same Python package, so one has to make room for the other.
    "$python" -m pip uninstall --yes onnxruntime
    if [ -n "$locked" ]; then
        lock_of gpu
        "$python" -m pip install --require-hashes --only-binary :all: --requirement "$requirements"
    else
        "$python" -m pip install --constraint constraints.txt "onnxruntime-gpu[cuda,cudnn]"
    fi
fi
