# Finds the Python whose torch is to be proven, and runs the proof with it.
# $1 is the proof's text, $2 what it is held against: a JSON object whose `document` is 3.
# Standard output is the document's alone: whatever else prints (a `sitecustomize`, a wrapper script) prints on standard error.
exec 3>&1 1>&2

# Status 0: this Python has torch. 3: it has none. Anything else: it is no Python 3.8 or newer.
probe='
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.util
sys.exit(9 if sys.version_info < (3, 8) else 0 if importlib.util.find_spec("torch") else 3)
'
looked=
without_torch=
for python in ${VIRTUAL_ENV:+"$VIRTUAL_ENV/bin/python"} ${CONDA_PREFIX:+"$CONDA_PREFIX/bin/python"} python python3 \
    .venv/bin/python venv/bin/python /opt/venv/bin/python /venv/bin/python /app/.venv/bin/python /app/venv/bin/python \
    ${HOME:+"$HOME/.venv/bin/python"} /opt/conda/bin/python /usr/local/bin/python3 /usr/bin/python3; do
    looked="$looked $python"
    command -v "$python" >/dev/null || continue
    "$python" -c "$probe" </dev/null
    case $? in
    0) exec "$python" -c "$1" "$2" ;;
    3) without_torch=${without_torch:-$python} ;;
    esac
done
# The proof itself says that torch is missing.
if [ -n "$without_torch" ]; then
    exec "$without_torch" -c "$1" "$2"
fi
echo "no Python 3.8 or newer; looked for$looked"
exit 90
