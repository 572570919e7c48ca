"""The core's own predictor, by the way that everybody's is asked."""

from gitcto.api import PlainPredictor

__all__ = ["PlainPredictor"]
