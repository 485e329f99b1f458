# The launchers in scripts/ source this. It finds uv and the project's Python, syncs the project's
# environment with its lock, and runs a Python module in it. It writes to the project's folder only.
# bash 3.2 is enough.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/scripts/versions.env"
supported=${SUPPORTED_PYTHONS// /, }

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "error: $*"
  exit 1
}

# Print the path of the first of the given programs that works. A shim of pyenv can exist and fail.
first_working() {
  local candidate
  for candidate in "$@"; do
    if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

pyenv_versions() { printf '%s' "${PYENV_ROOT:-$HOME/.pyenv}/versions"; }

find_uv() {
  if UV=$(first_working "${UV:-}" uv "$HOME/.local/bin/uv" "$root/.local/uv/bin/uv" \
    "$(pyenv_versions)"/*/bin/uv); then
    # A shim works only in folders for which pyenv chooses the Python that uv is installed for.
    case $UV in */shims/uv) UV=$(pyenv which uv 2>/dev/null || printf '%s' "$UV") ;; esac
    return
  fi
  local base version pythons=()
  for version in $SUPPORTED_PYTHONS; do pythons+=("python$version"); done
  base=$(first_working python3 "$(pyenv_versions)"/3.*/bin/python3 "${pythons[@]}" /usr/bin/python3) ||
    fail "no Python was found; install Python 3 from your system's packages or python.org"
  say "• uv is not installed: installing uv $UV_VERSION into .local/uv"
  rm -rf "$root/.local/uv"
  "$base" -m venv "$root/.local/uv" ||
    fail "$base could not create a virtual environment (on Debian and Ubuntu: apt-get install python3-venv)"
  "$root/.local/uv/bin/python" -m pip install -q --disable-pip-version-check "uv==$UV_VERSION" ||
    fail "uv $UV_VERSION could not be installed with pip; is the network reachable?"
  UV="$root/.local/uv/bin/uv"
}

# Print the path of an interpreter: one that is installed, one of pyenv's, or one that uv downloads.
find_python() {
  local version=$1 found
  if found=$(first_working "python$version" "$(pyenv_versions)/$version"*/bin/"python$version"); then
    # The interpreter itself, not a shim.
    "$found" -c 'import sys; print(sys.executable)'
    return
  fi
  if found=$("$UV" python find --no-project "$version" 2>/dev/null); then
    printf '%s\n' "$found"
    return
  fi
  say "• Python $version is not installed: downloading it with uv"
  "$UV" python install -q "$version" >&2 && "$UV" python find --no-project "$version" 2>/dev/null && return
  fail "Python $version is not installed, and uv could not download it. Install it (for example with:
  pyenv install $version), or choose another of $supported: for one command with
  PYTHON_VERSION=…, or for good in the file .python-version"
}

# Install exactly the packages of a lock into a virtual environment, unless it has them already.
sync_environment() {
  local environment=$1 version=$2 lock=$3 stamp="$1/.lock" python options=(-q --require-hashes)
  if [ -x "$environment/bin/python" ] && cmp -s "$lock" "$stamp" &&
    "$environment/bin/python" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
    return
  fi
  python=$(find_python "$version")
  say "• Installing the locked packages for Python $version into ${environment#"$root"/}"
  "$UV" venv -q --allow-existing --no-project --python "$python" "$environment" ||
    fail "the virtual environment $environment for Python $version could not be created"
  # Without bytecode, every import compiles scikit-learn anew: 4 s instead of 1 s.
  [ -z "${PYTHONDONTWRITEBYTECODE:-}" ] || options+=(--compile-bytecode)
  "$UV" pip sync "${options[@]}" --python "$environment/bin/python" "$lock" ||
    fail "the packages in ${lock#"$root"/} could not be installed; is the network reachable?"
  cp "$lock" "$stamp"
}

# Run a module in the project's environment, in the caller's working directory.
run_module() {
  local declared environment
  declared=$(tr -d '[:space:]' <"$root/.python-version")
  PYTHON_VERSION=${PYTHON_VERSION:-$declared}
  case " $SUPPORTED_PYTHONS " in
    *" $PYTHON_VERSION "*) ;;
    *) fail "Python $PYTHON_VERSION (from PYTHON_VERSION or the file .python-version) is not supported; this project runs on $supported" ;;
  esac
  environment="$root/.venv"
  [ "$PYTHON_VERSION" = "$declared" ] || environment="$root/.venv-$PYTHON_VERSION"
  find_uv
  sync_environment "$environment" "$PYTHON_VERSION" "$root/requirements/dev.lock"
  export UV PYTHON_VERSION
  export PYTHONPATH="$root"
  exec "$environment/bin/python" -m "$@"
}
