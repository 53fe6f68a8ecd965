"""Columns of tables as numbers, and numbers as columns again."""
