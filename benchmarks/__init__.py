"""Measurements of skae against what users would pick instead; not installed."""
