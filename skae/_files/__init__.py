"""Fitted objects as files of arrays and plain values, which nobody has to trust."""
