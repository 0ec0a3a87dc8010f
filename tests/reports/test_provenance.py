import json
import subprocess
import sys
from importlib import metadata

import neurokit
from neurokit.reports.provenance import provenance


def test_facts_are_true_and_plain():
    facts = provenance()
    assert facts["neurokit"] == neurokit.__version__
    assert facts["packages"]["numpy"] == metadata.version("numpy")
    assert "3." in facts["python"]
    assert json.loads(json.dumps(facts)) == facts


def test_nothing_heavy_is_loaded():
    code = (
        "import sys; from neurokit.reports.provenance import provenance; provenance(); "
        "print([m for m in ('torch', 'pandas', 'mne', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
