"""The settings that Neuroformer has names for."""

from __future__ import annotations

from typing import Any

__all__ = ["LAYERS", "PRESETS"]

_VIDEO: dict[str, Any] = {"name": "stimulus", "kind": "frames", "layers": 8}
_NAVIGATION: dict[str, Any] = {
    "modalities": (
        {**_VIDEO, "n_samples": 6, "frame_shape": (30, 100)},
        {"name": "behaviour", "n_samples": 30, "n_variables": 3, "layers": 2},
    ),
}
# Layers, windows and frames of Antoniades et al., ICLR 2024, and of the released configurations.
# Published are 24 M parameters (V1+AL) and 25 M (navigation). That is what the released blocks sum
# to, which have one attention each, six a stack and two stacks more than here, with no stack for
# behaviour: 24.1 and 24.9 M. Ours without behaviour have 24.5 and 25.2 M: eight blocks a stack, in
# which those that read have two attentions. The two blocks for behaviour come on top, 2.1 M.
PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {
        **{"n_units": 60, "length": 0.05, "history": 0.05, "width": 64, "n_heads": 4},
        **{"state_layers": 1, "history_layers": 1, "final_layers": 1, "joint_width": 32},
        **{"dropout": 0.0, "n_positions": 64},
    },
    "v1al": {
        "modalities": ({**_VIDEO, "n_samples": 6, "frame_shape": (64, 112), "patch": (3, 8, 8)},),
    },
    "visnav_medial": {**_NAVIGATION, "n_units": 1906},
    "visnav_lateral": {**_NAVIGATION, "n_units": 2023},
    "hub": {
        **{"n_units": 300, "dt": 0.1, "length": 0.5, "history": 19.5},
        **{"state_layers": 12, "history_layers": 12, "final_layers": 12, "n_positions": 1024},
    },
    "random_network": {
        **{"n_units": 1000, "dt": 0.1, "length": 0.5, "history": 19.5},
        **{"state_layers": 4, "history_layers": 4, "final_layers": 8, "n_positions": 1024},
        "modalities": ({"name": "stimulus", "n_samples": 200, "n_variables": 1000, "layers": 4},),
    },
}
# Of streams of a kind that a preset has none of.
LAYERS = {name: 1 if name == "tiny" else 4 for name in PRESETS}
