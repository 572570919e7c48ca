"""Plugin plain-predictor: descriptors only; the work is the core's default."""

from gitcto.api import Predictor, Register, hookimpl


@hookimpl
def gitcto_register_predictors(register: Register[Predictor]) -> None:
    """Add predictor ``plain``."""
    register.add(
        Predictor(
            name="plain",
            summary="Guess by size, paths and how often such changes were rejected.",
            target="gitcto_plain_predictor.predictor:PlainPredictor",
        )
    )
