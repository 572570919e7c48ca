"""Provider gemini: Google's Gemini CLI."""
