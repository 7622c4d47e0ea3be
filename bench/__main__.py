"""Runs every benchmark of this folder that has a `main`, each in a process of its own: `python -m bench [options for all]`."""

import subprocess
import sys
from pathlib import Path


def benchmarks() -> list[str]:
    """Modules that can be run; the others are their parts."""
    here = Path(__file__).parent
    return sorted(
        path.stem
        for path in here.glob("*.py")
        if not path.stem.startswith("_") and "\ndef main(" in path.read_text(encoding="utf-8")
    )


def main() -> int:
    worst = 0
    for name in benchmarks():
        print(f"== bench.{name}", flush=True)
        worst = max(worst, subprocess.call([sys.executable, "-m", f"bench.{name}", *sys.argv[1:]]))
    return worst


if __name__ == "__main__":
    sys.exit(main())
