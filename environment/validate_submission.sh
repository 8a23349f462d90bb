#!/bin/sh
# Asks whether a submission has the right format; it never tells a score.
#     validate_submission.sh [FILE]        (default: $SUBMISSION_FILE, /home/submission/submission.csv)
# Prints the endpoint's answer. Exit code: 0 valid, 1 invalid, 2 no answer.
file=${1:-${SUBMISSION_FILE:-/home/submission/submission.csv}}
url=${VALIDATE_URL:-http://localhost:5000/validate}

if [ ! -f "$file" ]; then
    echo "Submission is invalid: there is no file $file."
    exit 1
fi

if command -v curl >/dev/null 2>&1; then
    answer=$(curl --silent --show-error --fail --noproxy '*' --max-time 900 \
        --request POST --upload-file "$file" --header "Content-Type: text/csv" --header "Expect:" "$url")
else
    answer=$(python3 - "$file" "$url" <<'PYTHON'
import http.client, os, sys, urllib.parse
path, url = sys.argv[1:]
parts = urllib.parse.urlsplit(url)
try:
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=900)
    with open(path, "rb") as body:
        headers = {"Content-Type": "text/csv", "Content-Length": str(os.path.getsize(path))}
        connection.request("POST", parts.path, body, headers)
        response = connection.getresponse()
        print(response.read().decode("utf-8", "replace"))
except OSError as problem:
    sys.exit(f"The validation endpoint {url} does not answer: {problem}")
sys.exit(0 if response.status == 200 else 22)
PYTHON
    )
fi
status=$?
[ -n "$answer" ] && printf '%s\n' "$answer"
[ $status -eq 0 ] || exit 2
case $answer in
    "Submission is valid"*) exit 0 ;;
    "Submission is invalid"*) exit 1 ;;
    *) exit 2 ;;
esac
