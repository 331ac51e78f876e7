"""How models work together."""
