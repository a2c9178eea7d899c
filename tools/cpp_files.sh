#!/usr/bin/env bash
# Prints the project's C++ files, one a line.
#
#   tools/cpp_files.sh all       every tracked file, and new ones that git does not ignore
#   tools/cpp_files.sh changed   those that differ from origin/main, or where that is the present
#                                commit or unknown, from the commit before
set -euo pipefail
cd "$(dirname "$0")/.."
patterns=('*.cpp' '*.hpp')

case ${1:-} in
all)
    # A file that was deleted but not yet committed is still in the index: leave it out.
    git ls-files --cached --others --exclude-standard --deduplicate -- "${patterns[@]}"
    ;;
changed)
    head=$(git rev-parse HEAD)
    base=$(git merge-base HEAD origin/main 2>/dev/null || true)
    if [[ -z $base || $base == "$head" ]]; then
        base=$(git rev-parse --verify --quiet HEAD~ || git hash-object -t tree /dev/null)
    fi
    git diff --name-only --diff-filter=d "$base" -- "${patterns[@]}"
    git ls-files --others --exclude-standard -- "${patterns[@]}"
    ;;
*)
    echo "usage: tools/cpp_files.sh all|changed" >&2
    exit 2
    ;;
esac | while read -r file; do
    if [[ -e $file ]]; then echo "$file"; fi
done
