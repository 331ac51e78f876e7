"""Displays; each also offers frame(), the numbers behind it."""
