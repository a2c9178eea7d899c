#!/usr/bin/env bash
# Runs clang-tidy on the C++ files named on stdin, each alone, with the flags of preset dev.
#
# The preset itself compiles files together; build/alone is configured for the commands of single files,
# and nothing is built there.
# A header is checked through the source beside it, or else through its test. Sources that preset dev
# does not compile (fuzz targets, benchmarks) have no compile command: they are named and left out.
set -euo pipefail
cd "$(dirname "$0")/.."
alone=build/alone
cmake --preset dev -B "$alone" -DCMAKE_UNITY_BUILD=OFF --log-level=WARNING >/dev/null

compiled=$(python3 -c '
import json, os, sys
for entry in json.load(open(sys.argv[1])):
    print(os.path.relpath(entry["file"]))
' "$alone/compile_commands.json" | sort -u)

sources=$(while read -r file; do
    case $file in
    *.hpp)
        for beside in "${file%.hpp}.cpp" "${file%.hpp}_test.cpp"; do
            if [[ -e $beside ]]; then
                echo "$beside"
                break
            fi
        done
        ;;
    *) echo "$file" ;;
    esac
done | sort -u)

chosen=$(comm -12 <(printf '%s\n' "$sources") <(printf '%s\n' "$compiled"))
left_out=$(comm -23 <(printf '%s\n' "$sources") <(printf '%s\n' "$compiled"))
[[ -z $left_out ]] || printf 'clang-tidy: left out: %s\n' $left_out
[[ -n $chosen ]] || { echo "clang-tidy: no changed source"; exit 0; }

# The count of warnings that it hid from foreign headers says nothing; its findings go to stdout.
if ! printf '%s\n' "$chosen" | xargs -P "$(nproc)" -n 1 clang-tidy -p "$alone" --quiet \
    --extra-arg=-Wno-unknown-warning-option 2> >(grep -v 'warnings\? generated' >&2); then
    echo "clang-tidy: findings above" >&2
    exit 1
fi
echo "clang-tidy: $(wc -l <<<"$chosen") sources are clean"
