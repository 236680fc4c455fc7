"""What two operators have agreed: read strictly from TOML or JSON."""
