"""``python -m gitcto.testing.model_server --scripts DIR``: serve until interrupted."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from gitcto.testing.model_server import ModelServer


def main() -> None:
    """Serve the scripts of a directory (``NAME.json`` each) and say where."""
    parser = argparse.ArgumentParser(prog="model_server", description="A scripted model server.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--scripts", type=Path, help="a directory of NAME.json")
    parser.add_argument("--log", type=Path, help="a directory for the requests of each run")
    options = parser.parse_args()
    if options.log:
        options.log.mkdir(parents=True, exist_ok=True)
    server = ModelServer(port=options.port, log=options.log)
    for path in sorted(options.scripts.glob("*.json")) if options.scripts else ():
        server.script(path.stem, json.loads(path.read_text(encoding="utf-8")))
    sys.stdout.write(f"http://127.0.0.1:{server.port}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        server.serve()
    server.close()


if __name__ == "__main__":
    main()
