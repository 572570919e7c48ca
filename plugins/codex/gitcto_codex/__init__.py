"""Provider codex: OpenAI's Codex CLI."""
