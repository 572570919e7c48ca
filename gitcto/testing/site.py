"""Distributions made up for one test, as an installer would have left them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING

from gitcto.plugins import Plugins

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class PluginSite:
    """A folder that looks like ``site-packages``; put it on ``sys.path`` before loading from it.

    ``warnings`` is what loading said, one line for each plugin that failed.
    """

    path: Path
    warnings: list[str] = field(default_factory=list)

    def add(self, distribution: str, version: str = "1.0", **plugins: str) -> PluginSite:
        """Install a distribution; each plugin is given with the text of its hooks module."""
        name = distribution.replace("-", "_")
        info = self.path / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        metadata = f"Name: {distribution}\nVersion: {version}\n\nVersion: 9\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        lines = ["[gitcto]"]
        for plugin, text in plugins.items():
            lines.append(f"{plugin.replace('_', '-')} = {name}_{plugin}")
            self.module(f"{name}_{plugin}", text)
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self

    def module(self, name: str, text: str) -> PluginSite:
        """Write a module."""
        (self.path / f"{name}.py").write_text(dedent(text), encoding="utf-8")
        return self

    def load(self) -> Plugins:
        """Load what is installed here, and nothing else."""
        return Plugins.load([str(self.path)], warn=self.warnings.append)

    def forget(self) -> None:
        """Drop this folder's modules from ``sys.modules``."""
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(str(self.path)):
                del sys.modules[name]
