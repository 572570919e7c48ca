"""Provider qwen: the Qwen Code CLI."""
