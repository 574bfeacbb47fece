# shellcheck shell=bash
# Python with the libraries that read exported files in the tests.
# Sourced.

need_python_tools() {
  if [ -n "$TEST_PYTHON" ]; then return; fi
  step "Python libraries that read exported files" python \
    "$ROOT/scripts/setup/python-venv.sh" "$ROOT/scripts/setup/python-tools.txt" "$PYTHON_DIR"
}
