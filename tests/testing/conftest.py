from gitcto.testing.fixtures import cto_repo

__all__ = ["cto_repo"]
