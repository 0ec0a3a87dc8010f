"""The ``neurokit`` command."""

from neurokit.cli.app import main

__all__ = ["main"]
