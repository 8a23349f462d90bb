#!/bin/sh
# Mounted into every container and started in place of the image's own entrypoint:
#     /bin/sh /run/mlebench/entrypoint.sh COMMAND...
# Makes the host's endpoints reachable on localhost, then becomes the agent's command.
control=/run/mlebench
: "${MLEBENCH_FORWARD:=5000:$control/sockets/validate.sock}"

# The agent's user may not own a home folder in this image.
if [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/}" ]; then
    HOME=/tmp/home
    mkdir -p "$HOME"
    export HOME
fi

# shellcheck disable=SC2086  (a list of PORT:SOCKET words)
python3 -I -S "$control/forward.py" --background $MLEBENCH_FORWARD </dev/null \
    || echo "mlebench: the endpoints of the host are not available" >&2

cd /home/agent || exit 126
exec "$@"
