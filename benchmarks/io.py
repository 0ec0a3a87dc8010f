"""Getting data in: windows, parcellation and binning beside MNE, nilearn and pynapple.

Run: python benchmarks/io.py
"""

import warnings

import binning
import parcellation
import windows


def main():
    for benchmark in (windows, parcellation, binning):
        print(f"\n== {benchmark.__doc__.splitlines()[0]}")
        benchmark.main()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
