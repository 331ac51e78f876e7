"""Helpers shared by every folder; nothing here is public."""
