"""What a run works with: its context, where things lie, plugins asked, the sandbox."""
