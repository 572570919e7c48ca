"""``python -m gitcto.testing.simulation``: run seeds, print figures, repeat a failure."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter

from gitcto.testing.simulation.options import draw
from gitcto.testing.simulation.simulation import Simulation

r = Counter()
args = sys.argv[1:]
a, b = map(int, args[0].split("-"))
began = time.process_time()
ms = 0
for seed in range(a, b + 1):
    result = Simulation(draw(seed), keep="-v" in args).run()
    ms += result.ms
    r.update(result.faults)
    if "-v" in args:
        print("\n".join(result.lines))
    if result.violations:
        print(seed, result.violations)
cpu = time.process_time() - began
print(ms / 3.6e6, "h", cpu, "s", ms / 3.6e6 / cpu * 60, "h/min", sum(r.values()) / (ms / 3.6e6), r)
