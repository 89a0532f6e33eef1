# Finds the Python whose torch is to be proven, and runs the proof with it.
# $1 is the proof's text, $2 what it is held against: a JSON object whose `document` is 3. $3 is where interpreters are
# looked for, one pattern of the shell a line, the likely ones first.
# Standard output is the document's alone: whatever else prints (a `sitecustomize`, a wrapper script) prints on standard error.
exec 3>&1 1>&2

# Status 0: this Python has torch. 3: it has none. Anything else: it is no Python 3.8 or newer.
probe='
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import importlib.util
sys.exit(9 if sys.version_info < (3, 8) else 0 if importlib.util.find_spec("torch") else 3)
'
newline='
'
chosen=
without_torch=
others=
looked=
IFS=$newline
for pattern in $3; do
    case $pattern in
    \$*)
        # A pattern below a folder that a variable names; nothing where the variable is not set.
        name=${pattern%%/*}
        eval "folder=\${${name#?}-}"
        [ -n "$folder" ] || continue
        pattern=$folder/${pattern#*/}
        ;;
    esac
    for python in $pattern; do
        path=$(command -v "$python") || continue
        case "$newline$looked$newline" in *"$newline$path$newline"*) continue ;; esac
        looked=$looked$newline$path
        if [ -n "$chosen" ]; then
            # Whether these have another torch is asked when the proof is made: one that hangs must not keep it back.
            others=$others$newline$path
            continue
        fi
        "$path" -c "$probe" </dev/null 3>&-
        case $? in
        0) chosen=$path ;;
        3) without_torch=${without_torch:-$path} ;;
        esac
    done
done
chosen=${chosen:-$without_torch} # the proof itself says that torch is missing
if [ -z "$chosen" ]; then
    echo "no Python 3.8 or newer; looked in the PATH, and for environments below /opt, /app, /home and /root"
    [ -z "$looked" ] || echo "of these none answered:$looked"
    exit 90
fi
exec "$chosen" -c "$1" "$2" "$others"
