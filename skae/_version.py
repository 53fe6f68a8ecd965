"""The version, which files note too."""

__version__ = "0.1.0"
