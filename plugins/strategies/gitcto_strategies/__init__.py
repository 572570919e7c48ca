"""First-party plugin: strategies, as TOML files beside this one."""
