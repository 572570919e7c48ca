"""What a patch that is not as git writes it raises."""


class PatchError(ValueError):
    """A patch cannot be read; whoever judges by it must not pass what it is about."""
