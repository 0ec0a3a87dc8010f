"""``python -m neurokit`` is the ``neurokit`` command."""

from neurokit.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
