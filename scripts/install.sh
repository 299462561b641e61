#!/bin/sh
# Installs Unmask, with the extras named, at the versions of constraints.txt. `make` and the
# Dockerfile both install by this, so what runs on a desk is what runs in a container.
#
#   scripts/install.sh server,bot              into the Python of $PYTHON (python3)
#   scripts/install.sh --editable server,dev   so that changes to the code are used at once
#   scripts/install.sh --gpu server            with the run time for NVIDIA GPUs (CUDA)
set -eu

cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
editable=
gpu=
while [ $# -gt 0 ]; do
    case $1 in
        --editable) editable=--editable ;;
        --gpu) gpu=yes ;;
        -*) echo "install.sh: there is no option $1" >&2; exit 2 ;;
        *) break ;;
    esac
    shift
done

# shellcheck disable=SC2086 # $editable is one word or none
"$python" -m pip install --constraint constraints.txt $editable ".${1:+[$1]}"

if [ -n "$gpu" ]; then
    # Both run times are one and the same Python package, so one has to make room for the other.
    "$python" -m pip uninstall --yes onnxruntime
    "$python" -m pip install --constraint constraints.txt "onnxruntime-gpu[cuda,cudnn]"
fi
