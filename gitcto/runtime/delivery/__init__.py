"""Where work goes: the team's branch, the user's, remotes, and effects outside."""
