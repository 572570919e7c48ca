"""The whole: a team's run over the world that is, and plans that are drafted."""
