"""Be git-cto, and write down the most memory that this process held at once.

A program of its own that imports nothing else of the benchmarks: they would count too.
"""

import sys

PROC = "/proc/self/status"


def peak_bytes() -> int:
    """Return the most memory that this process held at once.

    Linux says it of the program alone; ``getrusage`` also knows what the parent held at the fork.
    """
    try:
        with open(PROC, encoding="ascii") as file:  # noqa: PTH123 - see above
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:"))
    except FileNotFoundError:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return used if sys.platform == "darwin" else used << 10


def main() -> int:
    """Run git-cto with the arguments after the file to write to; without any, run nothing."""
    told, *arguments = sys.argv[1:]
    sys.argv[1:] = arguments
    try:
        if not arguments:
            return 0
        from gitcto.cli import entry

        return int(entry.main())
    finally:
        with open(told, "w", encoding="ascii") as file:  # noqa: PTH123 - see above
            file.write(str(peak_bytes()))


if __name__ == "__main__":
    sys.exit(main())
