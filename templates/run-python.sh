# Has the Python $0 run the program $1, told $2, which writes its document into the file descriptor 3.
# Standard output is the document's alone: whatever else prints (a `sitecustomize`, a wrapper script) prints on standard error.
exec 3>&1 1>&2
"$0" -c 'import sys; sys.exit(9 if sys.version_info < (3, 8) else 0)' </dev/null 3>&-
status=$?
case $status in
0) exec "$0" -c "$1" "$2" </dev/null ;;
9) echo "no Python 3.8 or newer: $0 is older" ;;
*) echo "no Python 3.8 or newer: $0 does not run a program, but ends with status $status" ;;
esac
exit 90
