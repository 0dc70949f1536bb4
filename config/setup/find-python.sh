#!/bin/sh
# Prints a Python of at least 3.12, or says what to install. PYTHON= overrides.
fits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; }

if [ -n "${PYTHON:-}" ]; then
    fits "$PYTHON" && { command -v "$PYTHON"; exit 0; }
    echo "PYTHON=$PYTHON: expected Python 3.12 or later" >&2
    exit 2
fi
for name in python3.13 python3.12 python3.14 python3 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do
    if fits "$name"; then command -v "$name"; exit 0; fi
done
if command -v uv >/dev/null 2>&1; then
    found=$(uv python find '>=3.12' 2>/dev/null) && { echo "$found"; exit 0; }
fi
echo "No Python of at least 3.12 was found. Install one (Debian/Ubuntu: apt-get install python3.12 python3.12-venv; or pyenv install 3.13; or uv python install 3.13) and run make again, or set PYTHON=/path/to/python." >&2
exit 2
