"""Plugin strategies: descriptors only; the strategies are the TOML files next door."""

from gitcto.api import Register, StrategyFile, hookimpl

SHIPPED = {
    "single_worker": "One worker writes; gates alone judge what it wrote.",
    "codex_writes_gemini_reviews": "One agent writes, another reviews the patch and nothing else.",
    "gemini_writes_codex_reviews": "One agent writes, another reviews the patch and nothing else.",
    "parallel_dual_write_review": "Two agents write, a reviewer chooses, the loser is preserved.",
    "security_redteam_pass": "One agent writes; a reviewer and a red team must both approve.",
    "writer_reviewer_handoff": "Patch and notes go to a reviewer, whose findings come back.",
    "plan_then_write": "One agent reads the code and plans, another one writes by that plan.",
    "parallel_then_adjudicate": "Two agents write, both are reviewed, one that passed is chosen.",
}
"""Name and summary of each file."""


@hookimpl
def gitcto_register_strategies(register: Register[StrategyFile]) -> None:
    """Add the strategies that git-cto ships."""
    for name, summary in SHIPPED.items():
        register.add(StrategyFile(name=name, summary=summary, target=f"gitcto_strategies:{name}"))
